-- When the epoch began, if a restored backup began it: of what happened before, the database does not know all.
alter table epoch add column began_at timestamptz;

-- When it was settled last, as this database knows it; null where that was before this was kept.
alter table delivery add column settled_at timestamptz;
