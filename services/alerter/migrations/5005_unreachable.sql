-- Services that did not answer when they were asked for their terms of the accounting line.
create table unreachable (
    service text primary key,
    since timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
