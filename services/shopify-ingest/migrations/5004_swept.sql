-- Records that we hold are asked after, some at a time, in the order of their ids.
alter table reconciliation
    add column swept_to text not null default '',
    -- Since ever: those that the store does not have any more.
    add column gone bigint not null default 0;
