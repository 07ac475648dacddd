CREATE TRIGGER audit_to_seal AFTER INSERT ON audit
BEGIN
  INSERT INTO audit_unsealed (id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER audit_sealed AFTER INSERT ON audit_chain
BEGIN
  DELETE FROM audit_unsealed WHERE id = NEW.id;
END;

-- One change is allowed: the personal fields of a line in the form of older programs move into their own row, once.
DROP TRIGGER audit_never_changes;

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
WHEN NOT (OLD.personal IS NULL AND NEW.personal IS NOT NULL AND NEW.address IS NULL AND NEW.user_agent IS NULL
  AND NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.kind = OLD.kind AND NEW.ok = OLD.ok
  AND NEW.account_id IS OLD.account_id AND NEW.client_id IS OLD.client_id AND NEW.session_id IS OLD.session_id
  AND NEW.grant_id IS OLD.grant_id AND NEW.request_id IS OLD.request_id)
BEGIN
  SELECT RAISE(ABORT, 'the audit record is append-only');
END;
