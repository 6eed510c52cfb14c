-- What happened, not only how things are now: so that a day can be exported and replayed. Kept for the setting
-- `history_days`.

-- A source's records as they were. Holds what `record` holds, personal data included: what erases a person there has to
-- erase here too.
create table revision (
    id bigint generated always as identity,
    store text not null,
    kind text not null,
    record_id text not null,
    epoch bigint not null,
    number bigint not null,
    observed_at timestamptz not null,
    -- As protobuf.
    snapshot bytea not null,
    primary key (store, kind, record_id, epoch, number)
);

create index revision_observed on revision (observed_at, id);

-- One row per settlement of a delivery, with all that decided it beside the snapshot and the plan.
create table decision (
    id bigint generated always as identity,
    system text not null,
    store text not null,
    kind text not null,
    record_id text not null,
    epoch bigint not null,
    number bigint not null,
    settlement bigint not null,
    decided_at timestamptz not null,
    state text not null check (state in ('applied', 'ignored', 'parked')),
    code text not null,
    field text not null,
    message text not null,
    decided_by text not null check (decided_by in ('plan', 'system', 'person')),
    plan_hash text not null,
    -- In hexadecimal; empty if there was no document.
    document_hash text not null,
    -- What was known of the delivery, and beside the snapshot; null where a person decided.
    delivery jsonb,
    facts jsonb,
    primary key (decided_at, id)
);

-- Since when both are complete: since they are there, or since what was older went.
create table history (
    complete_since timestamptz not null
);
insert into history values (now());
