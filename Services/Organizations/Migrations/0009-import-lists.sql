-- Lists of imports, the latest first: of everybody or of one person, in every state or in one.
DROP INDEX import_run_state;
CREATE INDEX import_run_state ON import_run (state, created_micros, id);
DROP INDEX import_run_created;
CREATE INDEX import_run_created ON import_run (created_micros, id);
CREATE INDEX import_run_own ON import_run (created_by, created_micros, id);
CREATE INDEX import_run_own_state ON import_run (created_by, state, created_micros, id);
-- How many there are at each place.
CREATE INDEX import_run_place ON import_run (created_by, parent_id, state);
