-- Organizations with a number of their own: parents and indexes refer to 8 bytes instead of 16, and
-- the tree is walked by the number. Rows are never deleted: an identifier is spent for ever.
CREATE TABLE organization_next (
    number          INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    -- The same once more: SQLite goes on from (order, serial) by an index, but not from (order, number).
    serial          INTEGER NOT NULL CHECK (serial = number),
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    parent          INTEGER REFERENCES organization_next (number) CHECK (parent <> number),
    depth           INTEGER NOT NULL CHECK (depth BETWEEN 1 AND 10),
    -- 1 present, 2 provisioning, 3 archived, 4 cancelled, 5 purged. Those up to 2 hold their title.
    standing        INTEGER NOT NULL CHECK (standing BETWEEN 1 AND 5),
    -- What was set: 0 is paused.
    active          INTEGER NOT NULL CHECK (active BETWEEN 0 AND 1),
    -- Last days, in days since 1970.
    trial_until     INTEGER,
    expires_on      INTEGER,
    title           TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    -- What siblings are told apart by: the title without case, width and doubled white space.
    title_key       TEXT    NOT NULL CHECK (length(title_key) >= 1),
    description     TEXT    NOT NULL,
    category        INTEGER NOT NULL CHECK (category BETWEEN 1 AND 4),
    -- 1 chosen, 2 inherited, 3 default.
    category_source INTEGER NOT NULL CHECK (category_source BETWEEN 1 AND 3),
    -- 1 school, 2 university, 3 LAN center, 4 company, 5 training center, 6 other.
    kind            INTEGER CHECK (kind BETWEEN 1 AND 6),
    country         TEXT    NOT NULL CHECK (length(country) BETWEEN 0 AND 2),
    sales_rep_email TEXT    NOT NULL,
    -- Names with a space between.
    services        TEXT    NOT NULL,
    type_id         BLOB    CHECK (length(type_id) = 16),
    external_id     TEXT    CHECK (length(external_id) BETWEEN 1 AND 200),
    -- 1 manual, 2 import, 3 api, 4 auto, 5 signup, 6 sale, 7 partner.
    origin          INTEGER NOT NULL CHECK (origin BETWEEN 1 AND 7),
    -- Hundredths of a percent; 0 is set. Its last day; 1 self, 2 subtree.
    discount        INTEGER CHECK (discount BETWEEN 0 AND 10000),
    discount_until  INTEGER,
    discount_scope  INTEGER NOT NULL CHECK (discount_scope BETWEEN 1 AND 2),
    -- Distinct active people here and below, as Membership counts them; not a change of the row.
    members         INTEGER NOT NULL CHECK (members >= 0),
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    updated_micros  INTEGER NOT NULL CHECK (updated_micros >= created_micros),
    version         INTEGER NOT NULL CHECK (version >= 1),
    -- When, by whom and with which others it was archived.
    archived_micros INTEGER,
    archived_by     TEXT,
    archive_batch   BLOB    CHECK (length(archive_batch) = 16),
    CHECK ((parent IS NULL) = (depth = 1)),
    CHECK ((archived_micros IS NULL) = (archive_batch IS NULL)),
    CHECK (standing <> 3 OR archived_micros IS NOT NULL)
) STRICT;

INSERT INTO organization_next (number, serial, id, parent, depth, standing, active, title, title_key,
    description, category, category_source, country, sales_rep_email, services, origin,
    discount_scope, members, created_by, created_micros, updated_micros, version)
WITH numbered (id, number) AS (
    SELECT id, row_number() OVER (ORDER BY depth, id) FROM organization
)
SELECT numbered.number, numbered.number, o.id, above.number, o.depth,
    CASE o.status WHEN 3 THEN 2 WHEN 4 THEN 4 ELSE 1 END, o.status <> 2, o.title, o.title_key,
    o.description, o.category, 1, o.country, '', '', o.origin, 1, 0, o.created_by,
    o.created_micros, o.updated_micros, o.version
FROM organization AS o JOIN numbered ON numbered.id = o.id
LEFT JOIN numbered AS above ON above.id = o.parent_id
ORDER BY numbered.number;

CREATE TABLE email_mask_next (
    organization_id BLOB    NOT NULL REFERENCES organization_next (id),
    value           TEXT    NOT NULL CHECK (length(value) BETWEEN 3 AND 255),
    -- 1 join, 2 allow.
    mode            INTEGER NOT NULL CHECK (mode BETWEEN 1 AND 2),
    -- 1 active, 2 pending verification, 3 released by the archive.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    PRIMARY KEY (organization_id, value)
) STRICT, WITHOUT ROWID;
INSERT INTO email_mask_next (organization_id, value, mode, state, created_by, created_micros)
SELECT organization_id, value, mode, state, created_by, created_micros FROM email_mask;
DROP TABLE email_mask;
DROP TABLE organization;
ALTER TABLE organization_next RENAME TO organization;
ALTER TABLE email_mask_next RENAME TO email_mask;

-- A domain that people join by belongs to one organization of the platform once the claim counts: a
-- claim that waits to be verified keeps nobody from proving that the domain is theirs.
CREATE UNIQUE INDEX email_mask_join ON email_mask (value) WHERE mode = 1 AND state = 1;

-- No two live siblings share a title; roots are siblings. A title being prepared is taken.
CREATE UNIQUE INDEX organization_siblings ON organization (coalesce(parent, 0), title_key)
    WHERE standing <= 2;
CREATE UNIQUE INDEX organization_external ON organization (external_id)
    WHERE external_id IS NOT NULL AND standing <= 3;

-- The orders of lists: below one parent, and everywhere. The first finds children for every purpose.
CREATE INDEX organization_below_updated ON organization (parent, updated_micros, serial);
CREATE INDEX organization_below_title ON organization (parent, title_key, serial)
    WHERE standing = 1;
CREATE INDEX organization_below_members ON organization (parent, members, serial)
    WHERE standing = 1;
CREATE INDEX organization_updated ON organization (updated_micros, serial) WHERE standing = 1;
CREATE INDEX organization_title ON organization (title_key, serial) WHERE standing = 1;
CREATE INDEX organization_members ON organization (members, serial) WHERE standing = 1;

CREATE INDEX organization_archive ON organization (archived_micros, serial) WHERE standing = 3;
CREATE INDEX organization_batch ON organization (archive_batch) WHERE standing = 3;
CREATE INDEX organization_type_of ON organization (type_id) WHERE type_id IS NOT NULL;

-- How many organizations are present: below each parent, below 0 the roots, below -1 all.
CREATE TABLE tally (
    parent        INTEGER NOT NULL PRIMARY KEY,
    organizations INTEGER NOT NULL CHECK (organizations >= 0)
) STRICT;
INSERT INTO tally (parent, organizations)
SELECT coalesce(parent, 0), count(*) FROM organization WHERE standing = 1 GROUP BY parent;
INSERT INTO tally (parent, organizations)
SELECT -1, count(*) FROM organization WHERE standing = 1;

-- Finds titles by a part of them: three characters at a time. Asked with LIKE, as an index of another
-- engine would be. The text stays in the organization alone.
CREATE VIRTUAL TABLE organization_part USING fts5 (
    title_key, content = 'organization', content_rowid = 'number', detail = 'full',
    tokenize = 'trigram case_sensitive 0'
);
INSERT INTO organization_part (rowid, title_key)
SELECT number, title_key FROM organization ORDER BY number;
-- How far the counts of members are known, and of which life of Membership's database.
CREATE TABLE member_count_position (
    only        INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    sequence    INTEGER NOT NULL,
    incarnation BLOB    NOT NULL
) STRICT;
