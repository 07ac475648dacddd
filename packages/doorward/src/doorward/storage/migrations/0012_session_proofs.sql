-- readable by: 4
-- What was proven in a session, as JSON. Older programs neither write nor read it: they change amr and auth_time beside it.
ALTER TABLE sessions ADD COLUMN proofs TEXT;
