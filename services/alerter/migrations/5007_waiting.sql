-- What a flow's lines have waited for too long is asked every few seconds, however many lines there are.
create index line_waiting on line (system, kind, waits_since) where waits_since is not null;
