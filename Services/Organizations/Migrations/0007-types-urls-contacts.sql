-- Templates that organizations are based on.
CREATE TABLE organization_type (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    -- What names are told apart by, made as for titles of organizations.
    name_key          TEXT    NOT NULL CHECK (length(name_key) >= 1),
    -- 1 everyone who sets types, 2 staff of the platform.
    visibility        INTEGER NOT NULL CHECK (visibility BETWEEN 1 AND 2),
    default_seat_type BLOB    CHECK (length(default_seat_type) = 16),
    signup_allowed    INTEGER NOT NULL CHECK (signup_allowed BETWEEN 0 AND 1),
    requires_approval INTEGER NOT NULL CHECK (requires_approval BETWEEN 0 AND 1),
    -- Identifiers of 16 bytes one after another; null: all modules.
    default_modules   BLOB    CHECK (length(default_modules) % 16 = 0),
    created_by        TEXT    NOT NULL,
    created_micros    INTEGER NOT NULL,
    updated_micros    INTEGER NOT NULL CHECK (updated_micros >= created_micros),
    version           INTEGER NOT NULL CHECK (version >= 1)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX organization_type_name ON organization_type (name_key);
CREATE INDEX organization_type_visible ON organization_type (visibility, name_key);

-- What people get in organizations of a type by their strongest role.
CREATE TABLE organization_type_benefit (
    type_id       BLOB    NOT NULL REFERENCES organization_type (id),
    -- 1 owner, 2 manager, 3 member.
    role          INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    takes_seat    INTEGER NOT NULL CHECK (takes_seat BETWEEN 0 AND 1),
    -- Identifiers of 16 bytes one after another.
    license_types BLOB    NOT NULL CHECK (length(license_types) % 16 = 0),
    courses       BLOB    NOT NULL CHECK (length(courses) % 16 = 0),
    PRIMARY KEY (type_id, role)
) STRICT, WITHOUT ROWID;

-- Paths of the platform's address. A row stays when its organization gives the path up.
CREATE TABLE custom_url (
    organization_id BLOB    NOT NULL REFERENCES organization (id),
    slug            TEXT    NOT NULL CHECK (length(slug) BETWEEN 3 AND 40),
    -- 1 enabled, 2 disabled, 3 released.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    -- Its state before the archive released it; null: it was given up, or is not released.
    archived_state  INTEGER CHECK (archived_state BETWEEN 1 AND 2),
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    released_micros INTEGER,
    version         INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (organization_id, slug),
    CHECK ((state = 3) = (released_micros IS NOT NULL)),
    CHECK (archived_state IS NULL OR state = 3)
) STRICT, WITHOUT ROWID;

-- A path belongs to one organization of the platform.
CREATE UNIQUE INDEX custom_url_slug ON custom_url (slug) WHERE state <= 2;
CREATE INDEX custom_url_released ON custom_url (slug, released_micros) WHERE state = 3;

-- Who receives what people write, by kind.
CREATE TABLE contact_receiver (
    organization_id BLOB    NOT NULL REFERENCES organization (id),
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 7),
    position        INTEGER NOT NULL CHECK (position >= 0),
    address         TEXT    NOT NULL CHECK (length(address) BETWEEN 3 AND 254),
    PRIMARY KEY (organization_id, kind, position)
) STRICT, WITHOUT ROWID;

-- What people wrote, until it has been mailed and for a while after.
CREATE TABLE contact_message (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 7),
    sender          TEXT    NOT NULL,
    -- What senders are told apart by: the address in lower case.
    sender_key      TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    content         TEXT    NOT NULL,
    -- At whose custom URL; null: the platform's own form.
    organization_id BLOB    REFERENCES organization (id),
    -- Addresses, a line each.
    receivers       TEXT    NOT NULL CHECK (length(receivers) >= 3),
    -- 1 pending, 2 sent.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),
    created_micros  INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_message_created ON contact_message (created_micros);
CREATE INDEX contact_message_sender ON contact_message (sender_key, created_micros);

CREATE TABLE platform_settings (
    only              INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    -- Titles are unique among: 1 siblings, 2 all.
    name_scope        INTEGER NOT NULL CHECK (name_scope BETWEEN 1 AND 2),
    -- Addresses, a line each; empty: never set.
    contact_receivers TEXT    NOT NULL,
    -- Null: nothing was ever set.
    updated_micros    INTEGER,
    version           INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
INSERT INTO platform_settings (only, name_scope, contact_receivers, version) VALUES (1, 1, '', 1);

-- Finds a title on the whole platform that is being prepared.
CREATE INDEX organization_prepared_title ON organization (title_key) WHERE standing = 2;

-- What proves that a domain is its claimant's, while the claim waits.
ALTER TABLE email_mask ADD COLUMN challenge BLOB CHECK (length(challenge) = 16);
UPDATE email_mask SET challenge = randomblob(16) WHERE state = 2;
CREATE INDEX email_mask_pending ON email_mask (created_micros) WHERE state = 2;
