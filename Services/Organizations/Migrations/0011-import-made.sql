-- Which organization a row of an applied import has made.
CREATE TABLE import_made (
    import_id BLOB    NOT NULL REFERENCES import_run (id),
    row       INTEGER NOT NULL,
    number    INTEGER NOT NULL REFERENCES organization (number),
    PRIMARY KEY (import_id, row)
) STRICT, WITHOUT ROWID;
