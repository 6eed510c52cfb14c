-- How many records a source has, and their revisions, as they change: each statement adds what it changed of the sums.
-- A sum over all records cost a second for each few millions, every few seconds.
create table record_tally (
    store text not null,
    kind text not null,
    records bigint not null,
    revisions bigint not null
);

create function tally_record() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into record_tally
        select store, kind, count(*), sum(number) from new_rows where number > 0 group by store, kind;
    elsif tg_op = 'DELETE' then
        insert into record_tally
        select store, kind, -count(*), -sum(number) from old_rows where number > 0 group by store, kind;
    else
        insert into record_tally
        select store, kind, sum(records), sum(revisions)
        from (
            select store, kind, 1 as records, number as revisions from new_rows where number > 0
            union all
            select store, kind, -1, -number from old_rows where number > 0
        ) changed
        group by store, kind
        having sum(records) <> 0 or sum(revisions) <> 0;
    end if;
    return null;
end
$$;

create trigger record_inserted after insert on record
    referencing new table as new_rows for each statement execute function tally_record();
create trigger record_updated after update on record
    referencing old table as old_rows new table as new_rows for each statement execute function tally_record();
create trigger record_deleted after delete on record
    referencing old table as old_rows for each statement execute function tally_record();

-- No statement changes a record between the triggers and the end of this transaction.
insert into record_tally select store, kind, count(*), sum(number) from record where number > 0 group by store, kind;
