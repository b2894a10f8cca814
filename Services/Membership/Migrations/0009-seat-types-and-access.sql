-- What seats give, and what else decides what members may open.

-- Bundles of courses. Courses are identifiers of Partners, 16 bytes each, one after another.
CREATE TABLE license_type (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    name_key   TEXT    NOT NULL CHECK (length(name_key) >= 1),  -- names are told apart by it
    courses    BLOB    NOT NULL CHECK (length(courses) % 16 = 0),
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL CHECK (updated_us >= created_us),
    version    INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX license_type_name ON license_type (name_key);

CREATE TABLE seat_type (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    name_key   TEXT    NOT NULL CHECK (length(name_key) >= 1),
    courses    BLOB    NOT NULL CHECK (length(courses) % 16 = 0),
    is_default INTEGER NOT NULL CHECK (is_default BETWEEN 0 AND 1),  -- the platform's
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL CHECK (updated_us >= created_us),
    version    INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX seat_type_name ON seat_type (name_key);
CREATE UNIQUE INDEX seat_type_default ON seat_type (is_default) WHERE is_default = 1;

CREATE TABLE seat_type_license (
    seat_type_id    BLOB NOT NULL REFERENCES seat_type (id),
    license_type_id BLOB NOT NULL REFERENCES license_type (id),
    PRIMARY KEY (seat_type_id, license_type_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX seat_type_license_by_license ON seat_type_license (license_type_id);

-- The platform's seat type, the same everywhere.
INSERT INTO seat_type (id, name, name_key, courses, is_default, created_us, updated_us, version)
SELECT x'019ad4de180070008000000000000001', 'Standard', 'standard', x'', 1, now_us, now_us, 1
FROM (SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 AS now_us);

-- The copy of what Partners says. Whether it has come to the end of the feed: 0 from the first
-- contact, or the beginning of a rebuild. Without its row the copy is made anew at the next start.
CREATE TABLE partners_copy (
    only   INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    filled INTEGER NOT NULL CHECK (filled BETWEEN 0 AND 1)
) STRICT;
INSERT INTO partners_copy (only, filled) VALUES (1, 0);

CREATE TABLE catalog_module (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name     TEXT    NOT NULL,
    chapters BLOB    NOT NULL CHECK (length(chapters) % 16 = 0),
    version  INTEGER NOT NULL,
    removed  INTEGER NOT NULL CHECK (removed BETWEEN 0 AND 1),
    stale    INTEGER NOT NULL CHECK (stale BETWEEN 0 AND 1)  -- not met again by a rebuild yet
) STRICT, WITHOUT ROWID;

CREATE INDEX catalog_module_stale ON catalog_module (stale) WHERE stale = 1;

CREATE TABLE catalog_course (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    module_id  BLOB    CHECK (length(module_id) = 16),   -- none: removed courses alone
    chapter_id BLOB    CHECK (length(chapter_id) = 16),  -- none: any chapter opens it
    version    INTEGER NOT NULL,
    removed    INTEGER NOT NULL CHECK (removed BETWEEN 0 AND 1),
    stale      INTEGER NOT NULL CHECK (stale BETWEEN 0 AND 1),
    CHECK (removed = 1 OR module_id IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX catalog_course_stale ON catalog_course (stale) WHERE stale = 1;

-- grants is the message ModuleGrants; none: nothing is set.
CREATE TABLE organization_modules (
    organization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    grants          BLOB,
    version         INTEGER NOT NULL,
    stale           INTEGER NOT NULL CHECK (stale BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;

CREATE INDEX organization_modules_stale ON organization_modules (stale) WHERE stale = 1;

CREATE TABLE subscription (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    gives_until     INTEGER,  -- the last day, in days since 1970-01-01; none: it gives nothing yet
    courses         BLOB    NOT NULL CHECK (length(courses) % 16 = 0),
    version         INTEGER NOT NULL,
    stale           INTEGER NOT NULL CHECK (stale BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;

CREATE INDEX subscription_giving ON subscription (organization_id, gives_until, id);
CREATE INDEX subscription_stale ON subscription (stale) WHERE stale = 1;
