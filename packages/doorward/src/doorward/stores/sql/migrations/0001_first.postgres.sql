-- The audit record is append-only: no statement, of this program or of a shell, changes or removes a line.

CREATE FUNCTION doorward_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION doorward_never();
CREATE TRIGGER audit_never_empties BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION doorward_never();

-- Who waits for changes of the configuration or for revocations is woken when they are committed.

CREATE FUNCTION doorward_ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('doorward', NEW.name);
  RETURN NULL;
END
$$;

CREATE TRIGGER counters_ring AFTER UPDATE ON counters
  FOR EACH ROW EXECUTE FUNCTION doorward_ring();

-- Rows that are changed in place again and again: room on their page, and a sweep before they fill it.

ALTER TABLE refresh_tokens SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE sessions SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE counters SET (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE attempts SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
