-- One record, as people look for it.
create table waybill (
    store text not null,
    kind text not null,
    record_id text not null,
    name text not null,
    changed_at timestamptz not null default now(),
    primary key (store, kind, record_id)
);

create index waybill_name on waybill (name);
create index waybill_changed on waybill (changed_at desc);

-- One record to one system, as receipts tell it.
create table line (
    store text not null,
    kind text not null,
    record_id text not null,
    system text not null,
    service text not null default '',
    -- The newest revision that the source said, and since when it waits for a receipt.
    accepted_epoch bigint not null default 0,
    accepted_number bigint not null default 0,
    waits_since timestamptz,
    asked_at timestamptz,
    settled_epoch bigint not null default 0,
    settled_number bigint not null default 0,
    settlement bigint not null default 0,
    state text not null default 'pending',
    -- The end that the last receipt gave, whatever came after it.
    end_state text not null default '',
    settled boolean not null default false,
    code text not null default '',
    message text not null default '',
    field text not null default '',
    external_id text not null default '',
    attempts bigint not null default 0,
    -- The ends of the accounting line; each revision up to the settled one is in exactly one.
    applied bigint not null default 0,
    superseded bigint not null default 0,
    ignored bigint not null default 0,
    parked bigint not null default 0,
    -- A dead letter that no receipt has followed.
    dead_number bigint not null default 0,
    dead_code text not null default '',
    dead_message text not null default '',
    dead_at timestamptz,
    settled_at timestamptz,
    changed_at timestamptz not null default now(),
    plan_hash text not null default '',
    primary key (store, kind, record_id, system)
);

create index line_parked on line (system, code) where state = 'parked';
create index line_waits on line (waits_since) where waits_since is not null;
create index line_dead on line (system) where dead_at is not null;

-- What each service says of a system.
create table system_seen (
    system text not null,
    service text not null,
    condition text not null,
    message text not null,
    seen_at timestamptz not null default now(),
    -- Since when it is in this condition.
    since timestamptz not null default now(),
    plan_hash text not null default '',
    primary key (system, service)
);

-- Parked or late deliveries with one cause.
create table incident (
    id bigint generated always as identity primary key,
    system text not null,
    code text not null,
    severity text not null,
    detail text not null,
    count bigint not null,
    records jsonb not null default '[]',
    -- When the first of them went wrong.
    first_at timestamptz not null,
    opened_at timestamptz not null default now(),
    resolved_at timestamptz,
    paged_at timestamptz,
    -- Revisions for the pagers: opened, resolved.
    revision bigint not null default 1
);

create unique index incident_open on incident (system, code) where resolved_at is null;

-- Gaps as they were seen, to tell one that stands from messages under way.
create table gap_seen (
    store text not null,
    kind text not null,
    system text not null,
    gap bigint not null,
    seen_at timestamptz not null default now()
);

create index gap_seen_at on gap_seen (seen_at);
