-- Whether a step may have left something in the system, at whatever attempt: a refusal of a later one takes nothing back.
alter table step add column begun boolean not null default false;
update step set begun = true where state in ('done', 'ambiguous', 'unsure');
