-- For how long a revision has been tried: the pauses between the tries that count. What a system was down for, and what
-- was waited for, is no part of it.
alter table delivery add column tried_seconds double precision not null default 0;
