"""Check of the audit log's months on PostgreSQL: every day has one, and old ones are dropped. Part of `doctor`; changes
nothing."""

from __future__ import annotations

from typing import Any, Final

from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings
from doorward.storage.sql.audit_end import first_id

_DAY: Final = 86_400
_HOUR: Final = 3600
_NOW: Final = "SELECT extract(epoch FROM now())::bigint"
_MONTHS: Final = """
SELECT c.relname::text AS name, pg_has_role(c.relowner, 'USAGE') AS mine, pg_get_userbyid(c.relowner)::text AS owner,
  substring(pg_get_expr(c.relpartbound, c.oid) FROM ' TO \\(''(aud_[0-9a-f]{12})''\\)') AS ends
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit'::regclass AND c.relname LIKE 'audit\\_____\\___' ORDER BY 1"""
_NEXT: Final = "SELECT 'audit_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')"
# lines outside of any month, and which of the two tables for them this user may not delete from
_BESIDE: Final = """
SELECT EXISTS (SELECT 1 FROM audit WHERE id < $1
    AND tableoid IN (to_regclass('audit_before'), to_regclass('audit_later'))) AS due,
  (SELECT string_agg(t.name, ', ') FROM (VALUES ('audit_before'), ('audit_later')) AS t (name)
    WHERE to_regclass(t.name) IS NOT NULL AND NOT has_table_privilege(to_regclass(t.name), 'DELETE')) AS closed"""


async def audit_months(connection: Any, settings: Settings) -> Finding | None:
    """Whether next month already exists and expired months were dropped. None before the first start."""
    if await connection.fetchval("SELECT to_regproc('doorward_audit_drop') IS NULL"):
        return None
    months: list[Any] = await connection.fetch(_MONTHS)
    user: str = await connection.fetchval("SELECT current_user::text")
    mine: bool = await connection.fetchval(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'audit'::regclass"
    )
    coming: str = await connection.fetchval(_NEXT)
    if coming not in {month["name"] for month in months}:
        return failed(
            f"there is no {coming}: what is written then lies in audit_later, and every month in it costs more to write",
            "Start a server, which makes it within the hour."
            if mine
            else f"{user} may make no months: run doorward migrate as their owner, at least every two months.",
        )
    if not settings.audit.keep_days:
        return passed(f"{len(months)} months, kept for ever")
    keep = settings.audit.keep_days * _DAY
    now: int = await connection.fetchval(_NOW)
    # a running server needs some minutes for it, and up to an hour behind a long read
    due = [month for month in months if month["ends"] is not None and month["ends"] <= first_id(now - keep)]
    overdue = [month for month in due if month["ends"] <= first_id(now - keep - 2 * _HOUR)]
    foreign = [month for month in due if not month["mine"]]
    if foreign:
        names = ", ".join(month["name"] for month in foreign)
        return failed(
            f"{names}: older than audit.keep_days, and {user} may not drop what {foreign[0]['owner']} owns",
            f"As {foreign[0]['owner']}: DROP TABLE {names}; or ALTER TABLE … OWNER TO {user} for audit and its months.",
        )
    beside = await connection.fetchrow(_BESIDE, first_id(now - keep - 2 * _HOUR))
    if beside["due"] and beside["closed"]:
        return failed(
            f"lines in {beside['closed']} are older than audit.keep_days, and {user} may not remove them",
            f"GRANT DELETE ON {beside['closed']} TO {user}",
        )
    said = f"{len(months)} months, kept for {settings.audit.keep_days} days"
    if overdue or beside["due"]:
        what = (
            f"{overdue[0]['name']} should have gone" if overdue else "lines from before them should have gone"
        )
        return failed(
            f"{said}; {what}, which is tried once an hour while a server runs",
            "Start a server; or end what reads the audit log for hours (pg_stat_activity), or what hangs on that table.",
        )
    return passed(said)
