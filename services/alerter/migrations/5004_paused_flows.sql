-- Flows to the system that a person paused: what waits for them is not late.
alter table system_seen add column paused_flows text[] not null default '{}';
