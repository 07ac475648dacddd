-- The record lies in months. What is written touches this month's pages alone, however many years there are: in one table, each line
-- changes another page of the index of people, and the log of changes holds that page. An id begins with its time (RFC 9562 §5.7),
-- so that the key alone says where a line belongs, and it stays the key.

ALTER TABLE audit RENAME TO audit_whole;
CREATE TABLE audit (LIKE audit_whole, PRIMARY KEY (id)) PARTITION BY RANGE (id);
DROP TABLE audit_whole;
CREATE INDEX audit_account ON audit (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX audit_kind ON audit (kind, id);

CREATE FUNCTION doorward_audit_from(month timestamp) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'aud_' || lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0')
$$;

-- This month and the two that come. Who is in the way (somebody reads the record, another process does the same, lines of that month
-- lie elsewhere already, this user may not) is never waited for: the next call makes up for it, and audit_later takes what comes.
CREATE FUNCTION doorward_audit_months() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  part text;
  made bigint := 0;
BEGIN
  FOR ahead IN 0..2 LOOP
    part := 'audit_' || to_char(month, 'YYYY_MM');
    IF to_regclass(part) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE TABLE %I (LIKE audit INCLUDING ALL)', part);
        EXECUTE format('ALTER TABLE audit ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
          doorward_audit_from(month), doorward_audit_from(month + interval '1 month'));
        made := made + 1;
      EXCEPTION WHEN lock_not_available OR check_violation OR duplicate_table OR insufficient_privilege THEN
        NULL;
      END;
    END IF;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END
$$;

DO $$
BEGIN
  EXECUTE format('CREATE TABLE audit_before PARTITION OF audit FOR VALUES FROM (MINVALUE) TO (%L)',
    doorward_audit_from(date_trunc('month', now() AT TIME ZONE 'UTC')));
  CREATE TABLE audit_later PARTITION OF audit DEFAULT;
  PERFORM doorward_audit_months();
END
$$;

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
