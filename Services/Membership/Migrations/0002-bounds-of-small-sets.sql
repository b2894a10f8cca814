-- SQLite builds a table for `IN (1, 2, 3)` at every insert; bounds say the same and cost nothing.

CREATE TABLE membership_bounded (
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    user_id         BLOB    NOT NULL REFERENCES user (id),
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    name_key        TEXT    NOT NULL,  -- the name of the user in lower case: the order of lists
    roles           INTEGER NOT NULL CHECK (roles > 0),
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),  -- active, blocked, removed
    takes_seat      INTEGER NOT NULL CHECK (takes_seat BETWEEN 0 AND 1),
    joined_us       INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    CHECK (state = 1 OR takes_seat = 0),
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO membership_bounded (organization_id, user_id, id, name_key, roles, state, takes_seat,
    joined_us, version)
SELECT organization_id, user_id, id, name_key, roles, state, takes_seat, joined_us, version
FROM membership;
DROP TABLE membership;
ALTER TABLE membership_bounded RENAME TO membership;
CREATE INDEX membership_by_user ON membership (user_id, organization_id);
CREATE INDEX membership_by_name ON membership (organization_id, name_key, user_id);
CREATE INDEX membership_owner ON membership (organization_id) WHERE state = 1 AND (roles & 64) <> 0;

-- Every change of usage, for ever. operation: take 1, release 2, resize 3; cause: membership 1,
-- sale 2, settings 3. balance_after: in use after a take or release, the size after a resize.
CREATE TABLE seat_ledger_bounded (
    sequence        INTEGER NOT NULL PRIMARY KEY,
    organization_id BLOB    NOT NULL,
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    operation       INTEGER NOT NULL CHECK (operation BETWEEN 1 AND 3),
    user_id         BLOB,
    cause           INTEGER NOT NULL CHECK (cause BETWEEN 1 AND 3),
    balance_after   INTEGER NOT NULL CHECK (balance_after >= 0),
    occurred_us     INTEGER NOT NULL
) STRICT;
INSERT INTO seat_ledger_bounded (sequence, organization_id, kind, operation, user_id, cause,
    balance_after, occurred_us)
SELECT sequence, organization_id, kind, operation, user_id, cause, balance_after, occurred_us
FROM seat_ledger;
DROP TRIGGER seat_ledger_is_append_only_update;
DROP TRIGGER seat_ledger_is_append_only_delete;
DROP TABLE seat_ledger;
ALTER TABLE seat_ledger_bounded RENAME TO seat_ledger;
CREATE INDEX seat_ledger_by_organization ON seat_ledger (organization_id, sequence);
CREATE TRIGGER seat_ledger_is_append_only_update BEFORE UPDATE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;
CREATE TRIGGER seat_ledger_is_append_only_delete BEFORE DELETE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;
