-- What people are asked before it happens, beside a first write's approval.

-- A system's first run asks before it creates many records.
alter table system_state
    -- Whether a process of the service has taken it up, with what the plan says of its start.
    add column enlisted boolean not null default false,
    -- Records that it got for the first time until it was let go, and when the first one was.
    add column first_writes bigint not null default 0,
    add column first_write_at timestamptz,
    -- Since when it may create as much as it will, and who said so; by itself after its first day if nobody did.
    add column released_at timestamptz,
    add column released_by text not null default '',
    -- How many records it would create, while it asks.
    add column asking bigint;

update system_state s set enlisted = true,
    -- What holds records already has had its first run.
    released_at = case when exists (select from delivery d where d.system = s.system and d.applied_number is not null)
        then now() end;

-- First writes that wait for a person.
create index delivery_approval on delivery (system, first_unapplied_at) where code = 'approval';
create index delivery_asking on delivery (system) where state = 'waiting' and code = 'asking';
