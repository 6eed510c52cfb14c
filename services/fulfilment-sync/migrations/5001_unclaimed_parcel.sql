-- Parcels with a key of our form whose order is not known here yet: taken once it is.
create table unclaimed_parcel (
    system text not null,
    parcel_id text not null,
    order_key text not null,
    -- As the shipping system told it when it was asked at `began_at`. Not jsonb, which has no place for a NUL: what is
    -- told of one parcel must not keep the others from being asked for.
    news json not null,
    began_at timestamptz not null,
    kept_at timestamptz not null default now(),
    primary key (system, parcel_id)
);

create index unclaimed_parcel_age on unclaimed_parcel (kept_at);
