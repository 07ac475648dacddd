-- readable by: 4
-- The name that a person of a directory typed at the last sign-in, so that a device known to them has its own counters.
ALTER TABLE external_identities ADD COLUMN typed_as TEXT;
CREATE INDEX external_identities_typed_as ON external_identities (typed_as) WHERE typed_as IS NOT NULL;
