-- Images by the hash of their bytes; never changed.
CREATE TABLE asset (
    hash           BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    content_type   TEXT    NOT NULL CHECK (content_type IN ('image/png', 'image/jpeg')),
    width          INTEGER NOT NULL CHECK (width BETWEEN 1 AND 2048),
    height         INTEGER NOT NULL CHECK (height BETWEEN 1 AND 2048),
    data           BLOB    NOT NULL CHECK (length(data) BETWEEN 1 AND 524288),
    created_micros INTEGER NOT NULL
) STRICT;

-- What is set at an organization itself; an organization without a row has set nothing.
CREATE TABLE appearance (
    organization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    -- NULL: as the origin of the organization says.
    white_label     INTEGER CHECK (white_label IN (0, 1)),
    logo_hash       BLOB    REFERENCES asset (hash),
    updated_micros  INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version >= 1)
) STRICT, WITHOUT ROWID;

-- Its colors: primary, secondary, or advanced.NAME.
CREATE TABLE color (
    organization_id BLOB NOT NULL REFERENCES appearance (organization_id),
    field           TEXT NOT NULL,
    value           TEXT NOT NULL
        CHECK (length(value) = 7 AND value GLOB
            '#[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'),
    PRIMARY KEY (organization_id, field)
) STRICT, WITHOUT ROWID;
