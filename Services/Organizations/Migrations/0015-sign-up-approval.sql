-- Whether people who sign up and whom no email mask covers wait for approval.
ALTER TABLE platform_settings ADD COLUMN sign_up_approval INTEGER NOT NULL DEFAULT 0
    CHECK (sign_up_approval BETWEEN 0 AND 1);
