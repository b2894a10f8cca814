-- Imports with what they planned, for a while.
CREATE TABLE import_run (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- The organization that the first column names; NULL: the roots.
    parent_id       BLOB    CHECK (length(parent_id) = 16),
    -- 1 planning, 2 planned, 3 applying, 4 applied, 5 failed, 6 cancelled.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    ended_micros    INTEGER,
    row_count       INTEGER NOT NULL,
    created_count   INTEGER NOT NULL,
    updated_count   INTEGER NOT NULL,
    unchanged_count INTEGER NOT NULL,
    error_count     INTEGER NOT NULL,
    fault_code      TEXT    NOT NULL,
    fault           TEXT    NOT NULL,
    fault_row       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX import_run_created ON import_run (created_micros);
CREATE INDEX import_run_state ON import_run (state);

CREATE TABLE import_row (
    import_id BLOB    NOT NULL REFERENCES import_run (id),
    row       INTEGER NOT NULL,
    -- 1 created, 2 updated, 3 unchanged, 4 error.
    outcome   INTEGER NOT NULL CHECK (outcome BETWEEN 1 AND 4),
    -- A guildhall.organizations.v1.PlannedRow.
    body      BLOB    NOT NULL,
    PRIMARY KEY (import_id, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_row_outcome ON import_row (import_id, outcome, row);
