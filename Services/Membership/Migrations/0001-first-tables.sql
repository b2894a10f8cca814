-- Instants are microseconds since 1970 UTC. Identifiers are 16 bytes. Roles are a bit set: bit n is
-- role number n of guildhall.access.v1.Role, so that 64 is owner.

CREATE TABLE user (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email         TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name          TEXT    NOT NULL,
    password_hash TEXT,  -- none: the person cannot sign in by password
    created_us    INTEGER NOT NULL,
    version       INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

-- What a person may do outside memberships. A node of no bytes is the whole platform.
CREATE TABLE platform_role (
    user_id BLOB    NOT NULL REFERENCES user (id),
    role    INTEGER NOT NULL CHECK (role BETWEEN 1 AND 5),
    node    BLOB    NOT NULL CHECK (length(node) IN (0, 16)),
    PRIMARY KEY (user_id, role, node)
) STRICT, WITHOUT ROWID;

CREATE INDEX platform_role_by_role ON platform_role (role);

-- The token itself is never kept.
CREATE TABLE session (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    BLOB    NOT NULL REFERENCES user (id),
    created_us INTEGER NOT NULL,
    used_us    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_user ON session (user_id, created_us);
CREATE INDEX session_by_creation ON session (created_us);

-- organization_id is no foreign key: the tree is a copy that may be made anew at any time.
CREATE TABLE membership (
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    user_id         BLOB    NOT NULL REFERENCES user (id),
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    name_key        TEXT    NOT NULL,  -- the name of the user in lower case: the order of lists
    roles           INTEGER NOT NULL CHECK (roles > 0),
    state           INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- active, blocked, removed
    takes_seat      INTEGER NOT NULL CHECK (takes_seat IN (0, 1)),
    joined_us       INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    CHECK (state = 1 OR takes_seat = 0),
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_by_user ON membership (user_id, organization_id);
CREATE INDEX membership_by_name ON membership (organization_id, name_key, user_id);
CREATE INDEX membership_owner ON membership (organization_id) WHERE state = 1 AND (roles & 64) <> 0;

-- Who is counted where, and by how many active memberships in the subtree of the node. A seat
-- (kind 0) is counted at its own organization alone; members (1), students (2) and teachers (3)
-- at every node from the organization up to the root.
CREATE TABLE place (
    node    BLOB    NOT NULL CHECK (length(node) = 16),
    kind    INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    user_id BLOB    NOT NULL,
    refs    INTEGER NOT NULL CHECK (refs > 0),
    PRIMARY KEY (node, kind, user_id)
) STRICT, WITHOUT ROWID;

-- used = number of places = takes minus releases in the ledger, always. cap: none is no limit;
-- of seats it is the seat count.
CREATE TABLE usage (
    node BLOB    NOT NULL CHECK (length(node) = 16),
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    used INTEGER NOT NULL CHECK (used >= 0),
    cap  INTEGER CHECK (cap >= 0),
    PRIMARY KEY (node, kind)
) STRICT, WITHOUT ROWID;

-- Every change of usage, for ever. operation: take 1, release 2, resize 3; cause: membership 1,
-- sale 2, settings 3. balance_after: in use after a take or release, the size after a resize.
CREATE TABLE seat_ledger (
    sequence        INTEGER NOT NULL PRIMARY KEY,
    organization_id BLOB    NOT NULL,
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    operation       INTEGER NOT NULL CHECK (operation IN (1, 2, 3)),
    user_id         BLOB,
    cause           INTEGER NOT NULL CHECK (cause IN (1, 2, 3)),
    balance_after   INTEGER NOT NULL CHECK (balance_after >= 0),
    occurred_us     INTEGER NOT NULL
) STRICT;

CREATE INDEX seat_ledger_by_organization ON seat_ledger (organization_id, sequence);

CREATE TRIGGER seat_ledger_is_append_only_update BEFORE UPDATE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;

CREATE TRIGGER seat_ledger_is_append_only_delete BEFORE DELETE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;

-- What is set at an organization beside the caps themselves.
CREATE TABLE settings (
    organization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    caps_version    INTEGER NOT NULL CHECK (caps_version > 0),
    seat_ceiling    INTEGER CHECK (seat_ceiling >= 0),
    seats_version   INTEGER NOT NULL CHECK (seats_version > 0)
) STRICT, WITHOUT ROWID;

-- Sold seats by the idempotency key of their grant, so that a grant can be undone exactly.
CREATE TABLE seat_grant (
    key             TEXT    NOT NULL PRIMARY KEY,
    organization_id BLOB    NOT NULL,
    quantity        INTEGER NOT NULL CHECK (quantity > 0),
    sale_id         TEXT    NOT NULL,
    was_unlimited   INTEGER NOT NULL CHECK (was_unlimited IN (0, 1)),  -- before the grant
    granted_us      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX seat_grant_by_organization ON seat_grant (organization_id);

CREATE TABLE workspace (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL,
    title           TEXT    NOT NULL,
    is_default      INTEGER NOT NULL CHECK (is_default IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX workspace_by_organization ON workspace (organization_id, id);
CREATE UNIQUE INDEX workspace_default ON workspace (organization_id) WHERE is_default = 1;
