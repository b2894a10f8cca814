-- Calls of outside systems: where customers want to be told, and what they are.
CREATE TABLE hook (
    number          INTEGER NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    -- What happens to it, and below it, is told.
    organization    INTEGER NOT NULL REFERENCES organization (number),
    url             TEXT    NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    -- A bit for each kind that is told, the lowest for the first; 0: everything.
    kinds           INTEGER NOT NULL CHECK (kinds BETWEEN 0 AND 63),
    -- What its calls are signed with; forgotten once it is removed.
    secret          BLOB    NOT NULL CHECK (length(secret) = 32 OR state = 3),
    -- 1 on, 2 off, 3 removed: it goes once its calls are gone.
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    -- Why it was switched off by itself; empty when it was not.
    disabled_reason TEXT    NOT NULL,
    -- What the feed told up to here is not told: it was not there, or off.
    after_sequence  INTEGER NOT NULL CHECK (after_sequence >= 0),
    -- Since when no call has arrived; null when the last one has.
    failing_micros  INTEGER,
    -- Calls without a good answer, one after the other.
    failures        INTEGER NOT NULL CHECK (failures >= 0),
    -- It is not called before.
    resume_micros   INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    created_micros  INTEGER NOT NULL,
    updated_micros  INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE INDEX hook_organization ON hook (organization, state);
CREATE INDEX hook_state ON hook (state);

-- What is told, once for all hooks that are told it.
CREATE TABLE hook_event (
    number         INTEGER NOT NULL PRIMARY KEY,
    kind           INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 7),
    -- The JSON that is sent.
    body           TEXT    NOT NULL,
    created_micros INTEGER NOT NULL
) STRICT;
CREATE INDEX hook_event_age ON hook_event (created_micros);

CREATE TABLE hook_delivery (
    number         INTEGER NOT NULL PRIMARY KEY,
    -- By which receivers tell that they have it already.
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    hook           INTEGER NOT NULL REFERENCES hook (number),
    event          INTEGER NOT NULL,
    -- 1 waiting, 2 delivered, 3 failed.
    state          INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    attempts       INTEGER NOT NULL CHECK (attempts >= 0),
    -- Those of them since somebody last asked for it.
    tries          INTEGER NOT NULL CHECK (tries BETWEEN 0 AND attempts),
    -- Of the last attempt: the HTTP status, 0 without one; and why it failed.
    last_status    INTEGER NOT NULL,
    last_error     TEXT    NOT NULL,
    created_micros INTEGER NOT NULL,
    -- When it is to be sent next; of one that waits no longer, when that ended.
    due_micros     INTEGER NOT NULL
) STRICT;
CREATE INDEX hook_delivery_hook ON hook_delivery (hook);
CREATE INDEX hook_delivery_state ON hook_delivery (hook, state);
CREATE INDEX hook_delivery_due ON hook_delivery (hook, due_micros) WHERE state = 1;
CREATE INDEX hook_delivery_age ON hook_delivery (created_micros);
