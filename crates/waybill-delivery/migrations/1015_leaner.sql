-- Every change of a lease or a state wrote an entry of each of these. What is claimed is few, and found by its other index;
-- the outbox holds what is not published yet, and is read in the order of its key.
drop index delivery_leased;
drop index outbox_unpublished;

-- Leases and what steps taught are written without new index entries where the page has room for the row.
alter table delivery set (fillfactor = 80);
