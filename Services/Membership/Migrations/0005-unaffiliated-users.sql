-- Whether it is known that the address is the person's: only then it joins an organization.
ALTER TABLE user ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0
    CHECK (email_verified BETWEEN 0 AND 1);
UPDATE user SET email_verified = 1
WHERE id IN (SELECT user_id FROM platform_role WHERE role = 1);

-- People with a verified address who have no membership that is active or blocked and are not of the
-- platform's own, under every pattern that an email mask may have to cover the address:
-- `a.company.com`, `*.a.company.com` and `*.company.com`. No mask has more than ten labels. Until now
-- there are none: the only addresses that are verified are the platform's own.
CREATE TABLE unaffiliated_user (
    pattern TEXT NOT NULL CHECK (length(pattern) BETWEEN 3 AND 255),
    user_id BLOB NOT NULL REFERENCES user (id),
    PRIMARY KEY (pattern, user_id)
) STRICT, WITHOUT ROWID;
