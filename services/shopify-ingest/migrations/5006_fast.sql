-- As the engine's snapshots, webhooks' bodies are compressed with lz4 where this PostgreSQL has it.
do $$
begin
    alter table inbox alter column body set compression lz4;
exception when feature_not_supported then
    raise notice 'this PostgreSQL was built without lz4';
end $$;
