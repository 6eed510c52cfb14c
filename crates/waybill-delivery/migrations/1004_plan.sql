-- What the plan's rules need to know of a delivery beside its snapshot.

-- The newest revision that the other system holds; 0 where only that it holds one is known.
alter table fact add column applied_epoch bigint, add column applied_number bigint;
update fact set applied_epoch = 0, applied_number = 0 where state = 'applied';

-- A person's word that a first write may go.
alter table delivery add column approved_by text, add column approved_at timestamptz;

-- The mapped fields as they were sent last, by the object at the system: a person's contact, whichever of their
-- records brought it there, or a record's own object. Holds personal data.
create table sent (
    system text not null,
    object text not null,
    role text not null,
    fields jsonb not null,
    sent_at timestamptz not null default now(),
    primary key (system, object, role)
);

-- Since when a flow is there: records from before are not its business unless the plan says since when.
create table flow_state (
    flow text primary key,
    active_since timestamptz not null
);
