-- Orders as far as they were heard: an older revision changes nothing. One from before this was kept is not here, and
-- is replaced by any.
create table order_heard (
    store text not null,
    order_id text not null,
    epoch bigint not null,
    number bigint not null,
    primary key (store, order_id)
);
