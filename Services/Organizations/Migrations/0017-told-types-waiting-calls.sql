-- Organizations with a type of which an older program has told the feed no type: each is told of
-- again, once, unless a change has told of it since this version.
CREATE TABLE type_untold (
    number  INTEGER NOT NULL PRIMARY KEY REFERENCES organization (number),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
INSERT INTO type_untold (number, version)
    SELECT number, version FROM organization WHERE type_id IS NOT NULL AND standing <= 3;

-- How many calls wait for a hook, kept with every call that begins or ends to.
ALTER TABLE hook ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
UPDATE hook SET waiting = (
    SELECT count(*) FROM hook_delivery AS d WHERE d.hook = hook.number AND d.state = 1);
-- Its receiver has asked not to be called before; 0: it has not.
ALTER TABLE hook ADD COLUMN asked_micros INTEGER NOT NULL DEFAULT 0;
CREATE INDEX hook_waiting ON hook (waiting);
CREATE TRIGGER hook_delivery_begins_to_wait AFTER INSERT ON hook_delivery
WHEN NEW.state = 1 BEGIN
    UPDATE hook SET waiting = waiting + 1 WHERE number = NEW.hook;
END;
CREATE TRIGGER hook_delivery_waits_otherwise AFTER UPDATE OF state ON hook_delivery
WHEN (OLD.state = 1) <> (NEW.state = 1) BEGIN
    UPDATE hook SET waiting = waiting + iif(NEW.state = 1, 1, -1) WHERE number = NEW.hook;
END;
CREATE TRIGGER hook_delivery_is_gone AFTER DELETE ON hook_delivery
WHEN OLD.state = 1 BEGIN
    UPDATE hook SET waiting = waiting - 1 WHERE number = OLD.hook;
END;
