-- readable by: 4
-- Whose an entry for a single token is: the grant that gave it, or the app that it speaks for. Entries are counted by it, so that
-- one sign-in or one app cannot fill the view that every API holds. Other entries have none.
ALTER TABLE revocations ADD COLUMN holder TEXT;
CREATE INDEX revocations_holder ON revocations (holder, expires_at) WHERE holder IS NOT NULL;
