DROP TRIGGER audit_never_shrinks;

CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'audit.kept_from' AND OLD.id < value)
BEGIN
  SELECT RAISE(ABORT, 'the audit record is append-only');
END;
