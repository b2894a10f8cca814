-- The last days of which the feed has told that they are over; null: not told, or taken back.
ALTER TABLE organization ADD COLUMN trial_told INTEGER;
ALTER TABLE organization ADD COLUMN expiry_told INTEGER;

-- What is left to tell of, by the day.
CREATE INDEX organization_trial_untold ON organization (trial_until)
    WHERE standing = 1 AND trial_told IS NULL AND trial_until IS NOT NULL;
CREATE INDEX organization_expiry_untold ON organization (expires_on)
    WHERE standing = 1 AND expiry_told IS NULL AND expires_on IS NOT NULL;

-- What the feed has told of the passing of days: of each organization the last of each kind.
CREATE TABLE lapse (
    number   INTEGER NOT NULL REFERENCES organization (number),
    -- 1 its trial ended, 2 it expired, 3 a change of its days has taken that back.
    kind     INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),
    last_day INTEGER CHECK ((kind = 3) = (last_day IS NULL)),
    -- How often it was told.
    version  INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (number, kind)
) STRICT, WITHOUT ROWID;
