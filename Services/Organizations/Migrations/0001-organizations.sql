-- The tree. The parent is the truth; a path is walked, at most ten steps.
CREATE TABLE organization (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    parent_id      BLOB    REFERENCES organization (id) CHECK (parent_id <> id),
    depth          INTEGER NOT NULL CHECK (depth BETWEEN 1 AND 10),
    title          TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    -- What siblings are told apart by: the title without case, width and doubled white space.
    title_key      TEXT    NOT NULL CHECK (length(title_key) >= 1),
    description    TEXT    NOT NULL,
    category       INTEGER NOT NULL CHECK (category BETWEEN 1 AND 4),
    country        TEXT    NOT NULL CHECK (length(country) IN (0, 2)),
    -- 1 active, 2 inactive, 3 provisioning, 4 cancelled: never visible, its identifier spent.
    status         INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
    -- 1 manual, 2 import, 3 api, 4 auto, 5 signup, 6 sale, 7 partner.
    origin         INTEGER NOT NULL CHECK (origin BETWEEN 1 AND 7),
    created_by     TEXT    NOT NULL,
    created_micros INTEGER NOT NULL,
    updated_micros INTEGER NOT NULL CHECK (updated_micros >= created_micros),
    version        INTEGER NOT NULL CHECK (version >= 1),
    CHECK ((parent_id IS NULL) = (depth = 1))
) STRICT, WITHOUT ROWID;

-- No two live siblings share a title; roots are siblings. A title being prepared is taken.
-- Pages of children are read in its order.
CREATE UNIQUE INDEX organization_siblings
    ON organization (coalesce(parent_id, x''), title_key)
    WHERE status <> 4;

-- Finds the same title elsewhere.
CREATE INDEX organization_titles ON organization (title_key) WHERE status <> 4;
