-- When the services that deliver orders were last asked what became of one, and at which system.
alter table order_heard add column asked_at timestamptz, add column asked_of text;
