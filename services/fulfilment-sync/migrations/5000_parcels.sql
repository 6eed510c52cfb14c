-- Our key of an order at a shipping system, and which order that is.
create table shipped_order (
    object_key text primary key,
    store text not null,
    order_id text not null,
    name text not null
);

-- Where asking a shipping system for parcels stands.
create table parcel_cursor (
    system text primary key,
    position text not null,
    -- Parcels before this are not ours.
    since timestamptz not null default now() - interval '1 day'
);
