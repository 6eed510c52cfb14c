-- The ends of all lines, as they change: each statement adds what it changed of the sums. A sum over all lines cost a
-- second for each few millions, every few seconds.
create table line_tally (
    store text not null,
    kind text not null,
    system text not null,
    applied bigint not null,
    superseded bigint not null,
    ignored bigint not null,
    parked bigint not null
);

create function tally_line() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into line_tally
        select store, kind, system, sum(applied), sum(superseded), sum(ignored), sum(parked)
        from new_rows where (applied, superseded, ignored, parked) <> (0, 0, 0, 0) group by store, kind, system;
    elsif tg_op = 'DELETE' then
        insert into line_tally
        select store, kind, system, -sum(applied), -sum(superseded), -sum(ignored), -sum(parked)
        from old_rows group by store, kind, system;
    else
        insert into line_tally
        select store, kind, system, sum(applied), sum(superseded), sum(ignored), sum(parked)
        from (
            select store, kind, system, applied, superseded, ignored, parked from new_rows
            union all
            select store, kind, system, -applied, -superseded, -ignored, -parked from old_rows
        ) changed
        group by store, kind, system
        having sum(applied) <> 0 or sum(superseded) <> 0 or sum(ignored) <> 0 or sum(parked) <> 0;
    end if;
    return null;
end
$$;

create trigger line_inserted after insert on line
    referencing new table as new_rows for each statement execute function tally_line();
create trigger line_updated after update on line
    referencing old table as old_rows new table as new_rows for each statement execute function tally_line();
create trigger line_deleted after delete on line
    referencing old table as old_rows for each statement execute function tally_line();

-- No statement changes a line between the triggers and the end of this transaction.
insert into line_tally
select store, kind, system, sum(applied), sum(superseded), sum(ignored), sum(parked) from line group by store, kind, system;
