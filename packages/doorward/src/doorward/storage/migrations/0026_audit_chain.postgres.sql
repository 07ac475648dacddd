CREATE FUNCTION doorward_audit_to_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_to_seal AFTER INSERT ON audit
  FOR EACH ROW EXECUTE FUNCTION doorward_audit_to_seal();

CREATE FUNCTION doorward_audit_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM audit_unsealed WHERE id = NEW.id;
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_sealed AFTER INSERT ON audit_chain
  FOR EACH ROW EXECUTE FUNCTION doorward_audit_sealed();

-- One change is allowed: the personal fields of a line in the form of older programs move into their own row, once.
CREATE OR REPLACE FUNCTION doorward_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM meta WHERE name = 'audit.kept_from' AND OLD.id < value) THEN
      RETURN OLD;
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF OLD.personal IS NULL AND NEW.personal IS NOT NULL AND NEW.address IS NULL AND NEW.user_agent IS NULL
      AND (NEW.id, NEW.at, NEW.kind, NEW.ok, NEW.account_id, NEW.client_id, NEW.session_id, NEW.grant_id, NEW.request_id)
        IS NOT DISTINCT FROM
          (OLD.id, OLD.at, OLD.kind, OLD.ok, OLD.account_id, OLD.client_id, OLD.session_id, OLD.grant_id, OLD.request_id) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- Filled and emptied again and again: swept before it grows.
ALTER TABLE audit_unsealed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
