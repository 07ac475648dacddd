-- readable by: 3
-- The record has an end (settings: audit.keep_days). Lines go with their age alone: the server says in `meta` where the record begins
-- now, and only what is older may be removed. Nothing else changed: no line is altered, and nothing is older than what was never said.
INSERT INTO meta (name, value) VALUES ('audit.kept_from', '') ON CONFLICT (name) DO NOTHING;
