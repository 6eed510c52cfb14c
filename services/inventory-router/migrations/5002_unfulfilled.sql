-- Of the units, those that were not sent yet; null where the order was not heard since this is kept.
alter table order_demand add column unfulfilled bigint;
