-- A buyer's contact is woken by its target with each of the buyer's orders.
create index delivery_buyer on delivery (system, target_key) where kind = 'customer';
