-- The revision that the other system's newest word is about: a rule that kept that one away may let a later one through.
-- Null where it was said before this was kept.
alter table fact add column said_epoch bigint, add column said_number bigint;
