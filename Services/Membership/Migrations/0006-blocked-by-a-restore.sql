-- Whom a restore has blocked, by the idempotency key of the restore: when it is cancelled, exactly
-- they are active again. A row goes when its restore is cancelled, and when its organization is
-- archived the next time or goes for good: there is one of a membership at most.
CREATE TABLE restore_block (
    organization_id BLOB    NOT NULL,
    user_id         BLOB    NOT NULL,
    key             TEXT    NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),  -- of the membership, as blocked
    PRIMARY KEY (organization_id, user_id),
    FOREIGN KEY (organization_id, user_id) REFERENCES membership (organization_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX restore_block_by_key ON restore_block (key, organization_id, user_id);
