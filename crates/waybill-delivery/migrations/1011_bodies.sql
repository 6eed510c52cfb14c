-- Since when the body of a delivery that was settled long ago is gone; its source has it.
alter table delivery add column body_removed_at timestamptz;

create index delivery_body on delivery (changed_at)
    where state in ('applied', 'ignored') and body_removed_at is null;
