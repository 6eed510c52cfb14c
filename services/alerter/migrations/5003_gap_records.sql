-- Records that a gap is about, as store/kind/id, so far as they can be told.
alter table gap_seen add column records jsonb not null default '[]';
