-- To be written though nothing changed: the system lost it, or holds something else, and a person wants it mended.
alter table delivery add column again boolean not null default false;
