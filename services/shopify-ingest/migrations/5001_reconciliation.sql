-- The comparison with the store, per store and kind of record.
create table reconciliation (
    store text not null,
    kind text not null,
    -- What changed in the store before this was compared, at a time when the store's search had had time to know of it.
    watermark timestamptz not null,
    due_at timestamptz not null default now(),
    -- The claim: until when, and the token that a result must carry.
    lease_until timestamptz,
    fence bigint not null default 0,
    attempts integer not null default 0,
    -- Why the last attempt failed; empty if it did not.
    message text not null default '',
    -- Up to when the store was compared, and when that was done.
    compared_to timestamptz,
    finished_at timestamptz,
    -- Grows with each wish of a person; `answered` is the newest wish that was done in full.
    asked bigint not null default 0,
    answered bigint not null default 0,
    -- Since ever.
    compared bigint not null default 0,
    missing bigint not null default 0,
    old bigint not null default 0,
    primary key (store, kind)
);
