CREATE TABLE module (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE,  -- folded: upper and lower case alike
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE chapter (
    module_id BLOB    NOT NULL REFERENCES module (id),
    id        BLOB    NOT NULL CHECK (length(id) = 16),
    position  INTEGER NOT NULL CHECK (position BETWEEN 1 AND 200),
    title     TEXT    NOT NULL,
    title_key TEXT    NOT NULL,
    PRIMARY KEY (module_id, id),
    UNIQUE (module_id, title_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE course (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE,
    module_id  BLOB    NOT NULL REFERENCES module (id),
    chapter_id BLOB    CHECK (length(chapter_id) = 16),  -- none: the module as a whole
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    FOREIGN KEY (module_id, chapter_id) REFERENCES chapter (module_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX course_of_module ON course (module_id, name_key);
CREATE INDEX course_of_chapter ON course (module_id, chapter_id);

-- What is set at an organization, or was: the version outlives a setting that was taken away.
CREATE TABLE organization_modules (
    organization_id BLOB    PRIMARY KEY CHECK (length(organization_id) = 16),
    is_set          INTEGER NOT NULL CHECK (is_set BETWEEN 0 AND 1),
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

-- A module that is deleted stays here, and gives nothing.
CREATE TABLE module_grant (
    organization_id BLOB    NOT NULL REFERENCES organization_modules (organization_id),
    module_id       BLOB    NOT NULL CHECK (length(module_id) = 16),
    position        INTEGER NOT NULL CHECK (position BETWEEN 1 AND 500),
    -- Identifiers one after another; none: the whole module.
    chapters        BLOB    NOT NULL CHECK (length(chapters) % 16 = 0),
    PRIMARY KEY (organization_id, module_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
    id              BLOB    PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    -- 1 for the first of the organization: the newest has the greatest.
    number          INTEGER NOT NULL CHECK (number > 0),
    plan            TEXT    NOT NULL,
    -- Identifiers one after another.
    courses         BLOB    NOT NULL CHECK (length(courses) % 16 = 0 AND length(courses) <= 8000),
    -- The last day that was paid for, in days since 1970-01-01; none: nothing was paid.
    period_end      INTEGER,
    cancelled_at    INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    UNIQUE (organization_id, number)
) STRICT, WITHOUT ROWID;

-- A payment that was told of, by its name where it was made: it counts once.
CREATE TABLE payment (
    id              TEXT    PRIMARY KEY,
    subscription_id BLOB    NOT NULL REFERENCES subscription (id),
    period_end      INTEGER NOT NULL,
    completed_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_of_subscription ON payment (subscription_id);
