-- What people wrote may fail to be mailed, and is mailed from the outbox.
CREATE TABLE contact_message_next (
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
    -- 1 pending, 2 sent, 3 failed.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    -- 1 once its mails are in the outbox.
    queued          INTEGER NOT NULL DEFAULT 0 CHECK (queued BETWEEN 0 AND 1),
    created_micros  INTEGER NOT NULL
) STRICT;
INSERT INTO contact_message_next (id, kind, sender, sender_key, subject, content,
    organization_id, receivers, state, queued, created_micros)
SELECT id, kind, sender, sender_key, subject, content, organization_id, receivers, state, 0,
    created_micros
FROM contact_message;
DROP TABLE contact_message;
ALTER TABLE contact_message_next RENAME TO contact_message;
CREATE INDEX contact_message_created ON contact_message (created_micros);
CREATE INDEX contact_message_sender ON contact_message (sender_key, created_micros);
-- What there was no room for.
CREATE INDEX contact_message_unqueued ON contact_message (created_micros)
    WHERE state = 1 AND queued = 0;

-- Of which last days an organization is mailed, by the kind of the day: the last mail of each.
CREATE TABLE notice (
    number     INTEGER NOT NULL REFERENCES organization (number),
    -- 1 the end of a trial, 2 an expiry.
    kind       INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),
    last_day   INTEGER NOT NULL,
    -- So many days before the last it is due.
    stage      INTEGER NOT NULL CHECK (stage IN (0, 3, 14)),
    -- 1 waiting to be written, 2 written, or nobody is to be told any more.
    state      INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),
    -- When it is to be written.
    due_micros INTEGER NOT NULL,
    PRIMARY KEY (number, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_waiting ON notice (due_micros) WHERE state = 1;

-- Present organizations by their last days; queries that do not say > 0 have indexes of their own.
CREATE INDEX organization_trial_day ON organization (trial_until, number)
    WHERE standing = 1 AND trial_until > 0;
CREATE INDEX organization_expiry_day ON organization (expires_on, number)
    WHERE standing = 1 AND expires_on > 0;
