-- The email domains of organizations: an exact one, or `*.` before a base and all below it.
CREATE TABLE email_mask (
    organization_id BLOB    NOT NULL REFERENCES organization (id),
    value           TEXT    NOT NULL CHECK (length(value) BETWEEN 3 AND 255),
    -- 1 join, 2 allow.
    mode            INTEGER NOT NULL CHECK (mode BETWEEN 1 AND 2),
    -- 1 active, 2 pending verification.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    PRIMARY KEY (organization_id, value)
) STRICT, WITHOUT ROWID;

-- A domain that people join by belongs to one organization of the platform.
CREATE UNIQUE INDEX email_mask_join ON email_mask (value) WHERE mode = 1;
