CREATE OR REPLACE FUNCTION doorward_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM meta WHERE name = 'audit.kept_from' AND OLD.id < value) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- As before, but: one at a time, and who comes second waits for what the first one makes. A month whose lines lie elsewhere already is
-- not tried again each hour, which would read all that lies there with the record closed to everybody. And none is asked for from
-- before the record's first month, by a clock that was set back.
CREATE OR REPLACE FUNCTION doorward_audit_months() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  lower_id text;
  upper_id text;
  part text;
  alone boolean := false;
  made bigint := 0;
BEGIN
  FOR ahead IN 0..2 LOOP
    part := 'audit_' || to_char(month, 'YYYY_MM');
    lower_id := doorward_audit_from(month);
    upper_id := doorward_audit_from(month + interval '1 month');
    IF to_regclass(part) IS NULL THEN
      BEGIN
        IF NOT alone THEN
          PERFORM pg_advisory_xact_lock(4931282653509149801);
          alone := true;
        END IF;
        IF to_regclass(part) IS NULL AND NOT EXISTS (SELECT 1 FROM audit WHERE id >= lower_id AND id < upper_id) THEN
          EXECUTE format('CREATE TABLE %I (LIKE audit INCLUDING ALL)', part);
          EXECUTE format('ALTER TABLE audit ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, lower_id, upper_id);
          made := made + 1;
        END IF;
      EXCEPTION WHEN lock_not_available OR check_violation OR duplicate_table OR insufficient_privilege
        OR invalid_object_definition THEN
        -- what was locked since the block began is not any more
        alone := false;
      END;
    END IF;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END
$$;

-- Where the record begins that is kept for so many seconds. By the earlier of two clocks: a node that lives in another year by
-- mistake must not take the record with it.
CREATE FUNCTION doorward_audit_kept_from(moment bigint, keep bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT doorward_audit_from(
    to_timestamp(greatest(least(moment, extract(epoch FROM now())::bigint) - keep, 0)) AT TIME ZONE 'UTC')
$$;

-- The oldest month, if its last line is older than that: 1 when it went, 0 when there is none, -1 when it could not, because somebody
-- reads the record for long, this user may not, or something hangs on it. Writing the mark comes first, and with it the lock that
-- the fence of a move waits for, or the fence's refusal: no month goes that is being copied.
CREATE FUNCTION doorward_audit_drop(moment bigint, keep bigint) RETURNS bigint LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
  kept_from text := doorward_audit_kept_from(moment, keep);
  part text;
BEGIN
  SELECT format('%I.%I', n.nspname, c.relname) INTO part
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent = 'audit'::regclass AND c.relname LIKE 'audit\_____\___'
      AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$ TO \('(aud_[0-9a-f]{12})'\)$re$) COLLATE "C" <= kept_from
    ORDER BY c.relname LIMIT 1;
  IF part IS NULL THEN
    RETURN 0;
  END IF;
  BEGIN
    INSERT INTO meta (name, value) VALUES ('audit.kept_from', kept_from)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value;
    EXECUTE 'DROP TABLE ' || part;
    RETURN 1;
  EXCEPTION
    WHEN undefined_table THEN
      -- another node was faster
      RETURN 1;
    WHEN lock_not_available OR insufficient_privilege OR dependent_objects_still_exist THEN
      RETURN -1;
  END;
END
$$;

-- What lies in no month goes line by line, oldest first, at most so many: answers how many went.
CREATE FUNCTION doorward_audit_trim(moment bigint, keep bigint, most bigint) RETURNS bigint LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
  kept_from text := doorward_audit_kept_from(moment, keep);
  part text;
  due boolean;
  went bigint;
  gone bigint := 0;
BEGIN
  FOREACH part IN ARRAY ARRAY['audit_before', 'audit_later'] LOOP
    CONTINUE WHEN gone >= most OR to_regclass(part) IS NULL;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE id < %L ORDER BY id LIMIT 1)', part, kept_from) INTO due;
    CONTINUE WHEN NOT due;
    BEGIN
      INSERT INTO meta (name, value) VALUES ('audit.kept_from', kept_from)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value;
      EXECUTE format('DELETE FROM %I WHERE id IN (SELECT id FROM %I WHERE id < %L ORDER BY id LIMIT %s)',
        part, part, kept_from, most - gone);
      GET DIAGNOSTICS went = ROW_COUNT;
      gone := gone + went;
    EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
  RETURN gone;
END
$$;
