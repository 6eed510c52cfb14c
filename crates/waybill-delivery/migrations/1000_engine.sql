-- One record to one system.
create table delivery (
    id bigint generated always as identity primary key,
    system text not null,
    store text not null,
    kind text not null,
    record_id text not null,
    name text not null,
    -- What must not be worked on twice at once at the system.
    target_key text not null,
    -- The newest snapshot heard, as protobuf.
    desired_epoch bigint not null,
    desired_number bigint not null,
    desired bytea not null,
    -- What the system holds.
    applied_epoch bigint,
    applied_number bigint,
    applied_hash bytea,
    -- Up to which revision a receipt was given, and how many receipts there were.
    settled_epoch bigint not null default 0,
    settled_number bigint not null default 0,
    settlement bigint not null default 0,
    state text not null check (state in ('pending', 'applying', 'waiting', 'applied', 'ignored', 'parked')),
    code text not null default '',
    message text not null default '',
    field text not null default '',
    external_id text not null default '',
    -- Ids at the system by role.
    known jsonb not null default '{}',
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    first_unapplied_at timestamptz,
    -- The claim: until when, and the token that a result must carry.
    lease_until timestamptz,
    fence bigint not null default 0,
    -- Grows with everything that could change the decision.
    wake bigint not null default 0,
    traceparent text not null default '',
    plan_hash text not null default '',
    changed_at timestamptz not null default now(),
    unique (store, kind, record_id, system)
);

create index delivery_due on delivery (system, due_at) where state in ('pending', 'waiting');
create index delivery_leased on delivery (system, lease_until) where state = 'applying';
-- Claims serialise on the target key, across replicas.
create unique index delivery_target on delivery (system, target_key) where state = 'applying';
create index delivery_parked on delivery (system, code) where state = 'parked';

-- One call's worth of work, with its intent committed before the call.
create table step (
    delivery_id bigint not null references delivery on delete cascade,
    name text not null,
    role text not null,
    call_key text not null,
    state text not null check (state in ('intent', 'done', 'failed', 'ambiguous')),
    message text not null default '',
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    primary key (delivery_id, name)
);

-- What other systems said of a record.
create table fact (
    store text not null,
    kind text not null,
    record_id text not null,
    system text not null,
    state text not null check (state in ('applied', 'ignored', 'parked')),
    settlement bigint not null,
    primary key (store, kind, record_id, system)
);

-- A system's condition, shared by the service's replicas.
create table system_state (
    system text primary key,
    condition text not null default 'serving' check (condition in ('serving', 'unauthorized', 'unavailable')),
    paused boolean not null default false,
    message text not null default '',
    failures integer not null default 0,
    -- No calls before this: a limit that was reached, or a breaker's pause.
    resume_at timestamptz not null default now(),
    -- The token bucket.
    tokens double precision not null default 0,
    tokens_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);

-- What people did.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    system text not null,
    record text not null,
    reason text not null
);

-- Where the comparison with a source stands.
create table source_cursor (
    source text primary key,
    position text not null
);
