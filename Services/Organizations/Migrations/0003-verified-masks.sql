-- A domain that people join by belongs to one organization of the platform once the claim counts: a
-- claim that waits to be verified keeps nobody from proving that the domain is theirs.
DROP INDEX email_mask_join;
CREATE UNIQUE INDEX email_mask_join ON email_mask (value) WHERE mode = 1 AND state = 1;
