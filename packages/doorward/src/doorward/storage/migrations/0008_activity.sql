-- readable by: 4
-- What a person sees of their record is found by kind, each kind from its newest line, so that nobody can bury it under lines that are
-- not shown. The index audit_account is read by the version before this one alone.
CREATE INDEX audit_shown ON audit (account_id, kind, id) WHERE account_id IS NOT NULL;
