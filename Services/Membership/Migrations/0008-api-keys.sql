-- Credentials of programs. The secret itself is never kept; a node of no bytes is the whole platform.
CREATE TABLE api_key (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    secret_hash BLOB    NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    prefix      TEXT    NOT NULL,  -- how the secret begins, for people to tell keys apart
    name        TEXT    NOT NULL,
    role        INTEGER NOT NULL CHECK (role BETWEEN 1 AND 13),
    node        BLOB    NOT NULL CHECK (length(node) = 0 OR length(node) = 16),
    creator_id  BLOB    NOT NULL CHECK (length(creator_id) = 16),
    created_us  INTEGER NOT NULL,
    expires_us  INTEGER CHECK (expires_us > created_us),  -- none: never
    used_us     INTEGER  -- to the minute; none: never
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_by_node ON api_key (node, id);
