-- What OpenID Connect Core §5.1 knows about a person beyond name and language, where somebody has said it, and when any of it
-- last changed (seconds). Null is "not known": apps are told nothing then.
-- readable by: 4
ALTER TABLE accounts ADD COLUMN given_name TEXT;
ALTER TABLE accounts ADD COLUMN family_name TEXT;
ALTER TABLE accounts ADD COLUMN zoneinfo TEXT;
ALTER TABLE accounts ADD COLUMN updated_at BIGINT;
