-- What came of webhooks whose rows are gone, so that counts are of all that ever came.
create table inbox_past (
    store text not null,
    topic text not null,
    outcome text not null,
    webhooks bigint not null,
    primary key (store, topic, outcome)
);

create index inbox_old on inbox (received_at) where outcome not in ('new', 'privacy', 'unreadable');
