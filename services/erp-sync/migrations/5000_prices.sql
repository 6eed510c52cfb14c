-- The store's products as far as they were heard: an older revision changes nothing.
create table product_heard (
    store      text   not null,
    product_id text   not null,
    epoch      bigint not null,
    number     bigint not null,
    primary key (store, product_id)
);

-- The store's variants and what they cost there, as products told it or the store was asked.
create table variant (
    store      text not null,
    product_id text not null,
    variant_id text not null,
    sku        text not null,
    -- An exact decimal.
    price      text not null,
    primary key (store, variant_id)
);
create index variant_by_sku on variant (store, sku);
create index variant_by_product on variant (store, product_id);

-- SKUs that no product told of, and when the store was asked for them last.
create table sku_asked (
    store    text        not null,
    sku      text        not null,
    asked_at timestamptz not null default now(),
    primary key (store, sku)
);

-- What each store sells in.
create table store_currency (
    store    text primary key,
    currency text not null
);
