-- What people gave in place of the plan's values, with what the plan came to then; the newest of a place counts. Holds
-- personal data.
create table edit (
    id bigint generated always as identity primary key,
    delivery_id bigint not null references delivery on delete cascade,
    -- Where it stands in the document, such as `customer.email` or `lines.0.item`.
    path text not null,
    value jsonb not null,
    -- Tells what the plan came to when the person looked: the edit lapses when that is otherwise.
    instead_of text not null,
    -- The same in words: the value, or why there was none.
    was text not null,
    was_error boolean not null,
    epoch bigint not null,
    number bigint not null,
    actor text not null,
    reason text not null,
    edited_at timestamptz not null default now(),
    -- When the plan first came to something else: it does not come back.
    lapsed_at timestamptz
);

create index edit_newest on edit (delivery_id, path, id desc);

-- Whether anybody ever edited it.
alter table delivery add column edited boolean not null default false;

-- A flow that a person paused: its records wait.
alter table flow_state
    add column paused boolean not null default false,
    add column paused_by text not null default '',
    add column paused_at timestamptz;

create index delivery_paused on delivery (system, field) where state = 'waiting' and code = 'paused';
