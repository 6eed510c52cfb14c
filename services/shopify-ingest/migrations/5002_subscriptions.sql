-- The audit of each store's webhook subscriptions.
create table subscription_audit (
    store text primary key,
    due_at timestamptz not null default now(),
    lease_until timestamptz,
    attempts integer not null default 0,
    audited_at timestamptz,
    -- Where they are to go; empty if that is not known.
    callback_url text not null default '',
    -- Topics whose subscription is as it should be.
    well integer not null default 0,
    -- Since ever.
    repaired bigint not null default 0,
    -- What a person has to see to; empty if nothing.
    message text not null default ''
);
