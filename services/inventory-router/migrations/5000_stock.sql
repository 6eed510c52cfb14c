-- The store's inventory item of a SKU, from its products or asked for.
create table item (
    store text not null,
    sku text not null,
    -- Absent if the store has no such SKU; asked again after a while.
    inventory_item_id text,
    asked_at timestamptz not null default now(),
    primary key (store, sku)
);

-- What an order takes of an item, as long as the stock system has not accepted the order.
create table order_demand (
    store text not null,
    order_id text not null,
    sku text not null,
    units bigint not null,
    primary key (store, order_id, sku)
);

-- Units on the way when the stock system was last read.
create table held_back (
    store text not null,
    sku text not null,
    units bigint not null,
    primary key (store, sku)
);
