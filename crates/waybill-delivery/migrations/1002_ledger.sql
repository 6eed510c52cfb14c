-- A new epoch begins where a database is restored from a backup.
create table epoch (
    number bigint not null
);
insert into epoch select extract(epoch from now())::bigint;

-- A source's records.
create table record (
    store text not null,
    kind text not null,
    record_id text not null,
    name text not null default '',
    number bigint not null,
    content_hash bytea not null,
    -- What the outside source says of the age of this state; only to reject older input.
    source_updated_at timestamptz,
    -- When the last refetch began: it wins over all that was received before.
    refetched_at timestamptz,
    deleted boolean not null default false,
    -- The newest snapshot, as protobuf.
    snapshot bytea not null,
    -- The trace that the change belongs to.
    traceparent text not null default '',
    -- The transaction that changed it, so that a reader's cursor never passes an open one.
    changed_in xid8 not null default pg_current_xact_id(),
    changed_at timestamptz not null default now(),
    primary key (store, kind, record_id)
);

create index record_changed on record (changed_in, store, kind, record_id);
create index record_name on record (name) where name <> '';
