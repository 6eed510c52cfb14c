-- Each step's insert locked its delivery's row to see that it is there, which its writer knows.
alter table step drop constraint step_delivery_id_fkey;

create function delete_steps() returns trigger language plpgsql set search_path from current as $$
begin
    delete from step s using gone where s.delivery_id = gone.id;
    return null;
end
$$;

create trigger delivery_deleted after delete on delivery
    referencing old table as gone for each statement execute function delete_steps();
