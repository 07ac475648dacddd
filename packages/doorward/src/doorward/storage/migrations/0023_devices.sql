-- readable by: 4
-- The browser of a session, by the digest with which its account knows it (trusted_devices), and the name that its owner gave it. An
-- older program leaves them empty: such a session is a device of its own.
ALTER TABLE sessions ADD COLUMN device_hash BLOB;
ALTER TABLE sessions ADD COLUMN name TEXT;
ALTER TABLE trusted_devices ADD COLUMN name TEXT;
