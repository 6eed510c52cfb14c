-- Every webhook whose signature held, committed before it was answered.
create table inbox (
    id bigint generated always as identity primary key,
    store text not null,
    -- Shopify's id of the delivery; the same on each retry.
    webhook_id text not null,
    topic text not null,
    event_id text not null default '',
    triggered_at timestamptz,
    received_at timestamptz not null default now(),
    -- Its raw bytes; only the first of them if it was too large to keep.
    body bytea not null,
    body_bytes bigint not null,
    kept_whole boolean not null,
    -- new, applied, stale, echo, refetch, unknown, unreadable, privacy
    outcome text not null default 'new',
    message text not null default '',
    -- How often Shopify sent it again.
    duplicates integer not null default 0,
    traceparent text not null default '',
    unique (store, webhook_id)
);

create index inbox_new on inbox (id) where outcome = 'new';
create index inbox_shown on inbox (outcome, id) where outcome in ('unknown', 'unreadable', 'privacy');

-- Records to be read by API.
create table refetch (
    store text not null,
    kind text not null,
    record_id text not null,
    reason text not null,
    -- Grows with each wish, so that a read that began before the newest wish does not settle it.
    wish bigint not null default 1,
    due_at timestamptz not null default now(),
    lease_until timestamptz,
    attempts integer not null default 0,
    message text not null default '',
    traceparent text not null default '',
    primary key (store, kind, record_id)
);

create index refetch_due on refetch (due_at);
