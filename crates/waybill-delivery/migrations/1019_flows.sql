-- Since when a flow is there for each of its stores: another store, or a new name, brings nobody years of records.
create table flow_since (
    flow text not null,
    store text not null,
    kind text not null,
    system text not null,
    active_since timestamptz not null,
    primary key (flow, store)
);

-- Refunds that nobody books while their order is ignored, by that order.
create index delivery_order_ignored on delivery (system, store, field)
    where state = 'ignored' and code = 'order-ignored';
