-- Organizations on their way to another place in the tree, or out of the archive. While one is
-- open, its title is taken at the new place, and nothing else changes the trees it belongs to.
CREATE TABLE relocation (
    workflow     BLOB    NOT NULL PRIMARY KEY CHECK (length(workflow) = 16),
    number       INTEGER NOT NULL REFERENCES organization (number),
    -- The number of the new parent; 0 for the root.
    place        INTEGER NOT NULL,
    title_key    TEXT    NOT NULL,
    -- The numbers of the roots of both trees; of the moved one itself when it becomes a root.
    source_root  INTEGER NOT NULL,
    target_root  INTEGER NOT NULL,
    open         INTEGER NOT NULL CHECK (open BETWEEN 0 AND 1),
    -- What could not be given back, with line breaks between.
    not_restored TEXT    NOT NULL,
    begun_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX relocation_title ON relocation (place, title_key) WHERE open = 1;
CREATE UNIQUE INDEX relocation_source ON relocation (source_root) WHERE open = 1;
CREATE UNIQUE INDEX relocation_target ON relocation (target_root) WHERE open = 1;
CREATE INDEX relocation_open ON relocation (open);
CREATE INDEX relocation_begun ON relocation (begun_micros);
