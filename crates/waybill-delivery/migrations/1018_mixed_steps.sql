-- Whether calls with other keys were begun before the one that the row names: what is found may be of any of them.
alter table step add column mixed boolean not null default false;
