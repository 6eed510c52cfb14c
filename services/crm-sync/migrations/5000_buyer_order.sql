-- What each order counts in its buyer's totals.
create table buyer_order (
    store text not null,
    order_id text not null,
    -- The same for all orders and customer records of one person: the deliveries' target key.
    buyer text not null,
    epoch bigint not null,
    number bigint not null,
    counts boolean not null,
    spent numeric not null,
    placed_at timestamptz not null,
    primary key (store, order_id)
);

create index buyer_order_buyer on buyer_order (buyer) where counts;
