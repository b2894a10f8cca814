-- Causes of the ledger: membership 1, sale 2, settings 3, archive 4, restore 5, move 6, recount 7.
-- A bound cannot be altered in place: there is room for more, so that no later cause has to copy
-- the whole ledger.
CREATE TABLE seat_ledger_wider (
    sequence        INTEGER NOT NULL PRIMARY KEY,
    organization_id BLOB    NOT NULL,
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    operation       INTEGER NOT NULL CHECK (operation BETWEEN 1 AND 3),
    user_id         BLOB,
    cause           INTEGER NOT NULL CHECK (cause BETWEEN 1 AND 99),
    balance_after   INTEGER NOT NULL CHECK (balance_after >= 0),
    occurred_us     INTEGER NOT NULL
) STRICT;
INSERT INTO seat_ledger_wider (sequence, organization_id, kind, operation, user_id, cause,
    balance_after, occurred_us)
SELECT sequence, organization_id, kind, operation, user_id, cause, balance_after, occurred_us
FROM seat_ledger;
DROP TRIGGER seat_ledger_is_append_only_update;
DROP TRIGGER seat_ledger_is_append_only_delete;
DROP TABLE seat_ledger;
ALTER TABLE seat_ledger_wider RENAME TO seat_ledger;
CREATE INDEX seat_ledger_by_organization ON seat_ledger (organization_id, sequence);
CREATE TRIGGER seat_ledger_is_append_only_update BEFORE UPDATE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;
CREATE TRIGGER seat_ledger_is_append_only_delete BEFORE DELETE ON seat_ledger
BEGIN SELECT RAISE(ABORT, 'the seat ledger is append-only'); END;

-- What a change of the tree does to places, while it is carried out; no transaction leaves a row.
CREATE TABLE place_change (
    node        BLOB    NOT NULL CHECK (length(node) = 16),
    kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    user_id     BLOB    NOT NULL,
    refs_before INTEGER NOT NULL CHECK (refs_before >= 0),
    refs_after  INTEGER NOT NULL CHECK (refs_after >= 0),
    PRIMARY KEY (node, kind, user_id)
) STRICT, WITHOUT ROWID;

-- The organizations whose people come or go in such a change; no transaction leaves a row.
CREATE TABLE place_source (
    organization_id BLOB NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16)
) STRICT, WITHOUT ROWID;
