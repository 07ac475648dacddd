-- readable by: 4
-- How often the password of an account was replaced: two passwords of one second have the same password_changed_at. An older program
-- leaves it, and tells passwords apart by the time alone.
ALTER TABLE accounts ADD COLUMN password_version BIGINT NOT NULL DEFAULT 0;
