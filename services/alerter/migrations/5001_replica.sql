-- What each running replica says of the plan that it obeys.
create table replica (
    service text not null,
    replica text not null,
    plan_hash text not null,
    -- By the replica's own clock, as are the times of the refusal.
    obeyed_since timestamptz not null,
    -- Why it refuses the file that it looked at last; empty if that passes.
    problem text not null,
    refused_since timestamptz,
    -- By the watch's clock: when it was last heard of, and since when it has said that it refuses.
    heard_at timestamptz not null,
    refusal_heard_at timestamptz,
    primary key (service, replica)
);

-- Since when replicas have been seen to obey different plans, and when last; no row while they agree.
create table plan_disagreement (
    since timestamptz not null,
    seen_at timestamptz not null,
    the_one boolean primary key default true check (the_one)
);
