-- When an order that was new was accepted; absent for what was older than a day then, and for all other kinds.
alter table waybill add column arrived_at timestamptz;
create index waybill_arrived on waybill (store, arrived_at) where arrived_at is not null;

-- Since when a store's orders are expected at usual times, by the watch's clock: before an hour of it nothing is said.
create table store_expected (
    store text primary key,
    since timestamptz not null
);

-- Deliveries that a service has said to wait for a person.
create table approval_seen (
    service text not null,
    system text not null,
    store text not null,
    kind text not null,
    record_id text not null,
    -- When it was no longer said to wait, by the watch's clock: from then on the system's own time counts.
    over_at timestamptz,
    primary key (store, kind, record_id, system)
);
