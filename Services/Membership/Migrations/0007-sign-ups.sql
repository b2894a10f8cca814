-- People who came by themselves, and how many organizations each of them may make, ever.
ALTER TABLE user ADD COLUMN signed_up_us INTEGER;  -- null: somebody else has made the account
ALTER TABLE user ADD COLUMN organization_allowance INTEGER NOT NULL DEFAULT 1
    CHECK (organization_allowance >= 0);

-- Who asked to sign up. The token is mailed and never kept.
CREATE TABLE registration (
    token_hash         BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    email              TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    -- 1 open, 2 closed: there is an account, or others came after it; 3 verified.
    state              INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    name               TEXT    NOT NULL,  -- empty once it is not needed any more
    password_hash      TEXT,              -- asked for whenever the link is followed
    custom_url         TEXT    NOT NULL,  -- over which the person came; empty: none
    -- What is answered once it is verified, and again for as long as it is kept.
    user_id            BLOB    CHECK (length(user_id) = 16),
    organization_id    BLOB    CHECK (length(organization_id) = 16),
    organization_title TEXT    NOT NULL,
    created_us         INTEGER NOT NULL,
    expires_us         INTEGER NOT NULL CHECK (expires_us > created_us),
    CHECK ((state <> 2) = (password_hash IS NOT NULL)),
    CHECK ((state = 3) = (user_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX registration_by_email ON registration (email, created_us);
CREATE INDEX registration_by_creation ON registration (created_us);
CREATE INDEX registration_by_expiry ON registration (expires_us);

-- Who signed up for an organization and is let in only when somebody approves. One that is
-- decided stays, and so does who it was.
CREATE TABLE pending_sign_up (
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    user_id         BLOB    NOT NULL REFERENCES user (id),
    reason          INTEGER NOT NULL CHECK (reason BETWEEN 1 AND 3),  -- no mask, limit, type
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),  -- pending, approved, rejected
    created_us      INTEGER NOT NULL,
    decided_us      INTEGER,
    CHECK ((state = 1) = (decided_us IS NULL)),
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_sign_up_by_age
    ON pending_sign_up (organization_id, state, created_us, user_id);

-- Organizations that people make who signed up, from the moment in which it is begun: those that
-- are being made, or were, count against the allowance, whatever has become of them since.
CREATE TABLE own_organization (
    organization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    user_id         BLOB    NOT NULL REFERENCES user (id),
    workflow_id     BLOB    NOT NULL UNIQUE CHECK (length(workflow_id) = 16),
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),  -- being made, made, refused
    title           TEXT    NOT NULL,
    reference       TEXT    NOT NULL,  -- for the platform's own people
    refusal         BLOB,              -- the status
    created_us      INTEGER NOT NULL,
    CHECK ((state = 3) = (refusal IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX own_organization_by_user ON own_organization (user_id, state, created_us);
CREATE INDEX own_organization_refused ON own_organization (created_us) WHERE state = 3;
