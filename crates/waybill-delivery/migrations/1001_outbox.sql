-- What is to be said, written in the transaction that learned it. A row goes when its publish is acknowledged.
create table outbox (
    id bigint generated always as identity primary key,
    subject text not null,
    headers jsonb not null default '{}',
    payload bytea not null,
    -- Set where the broker refuses the row itself; it then blocks nobody.
    problem text,
    created_at timestamptz not null default now()
);

create index outbox_unpublished on outbox (id) where problem is null;
