-- The import of a store's history, for a kind of record.
create table backfill (
    id bigint generated always as identity primary key,
    store text not null,
    kind text not null,
    -- What changed at this time or later.
    since timestamptz not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'gathering', 'importing', 'done', 'failed', 'cancelled')),
    -- Shopify's number of the bulk operation, and by our clock when it was asked for: what was heard later wins over it.
    operation text not null default '',
    began_at timestamptz,
    url text not null default '',
    objects bigint not null default 0,
    -- Of the file, up to where whole records were imported.
    bytes bigint not null default 0,
    lines bigint not null default 0,
    records bigint not null default 0,
    changed bigint not null default 0,
    to_read bigint not null default 0,
    -- Why it waits or failed.
    message text not null default '',
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    lease_until timestamptz,
    fence bigint not null default 0,
    asked_at timestamptz not null default now(),
    finished_at timestamptz
);

-- One at a time of a store's kind.
create unique index backfill_open on backfill (store, kind) where state in ('waiting', 'gathering', 'importing');
