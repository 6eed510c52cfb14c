-- A call that does no harm when it is made again, and of which nobody has looked whether it had an effect.
alter table step drop constraint step_state_check;
alter table step add constraint step_state_check
    check (state in ('intent', 'done', 'failed', 'ambiguous', 'unsure'));
