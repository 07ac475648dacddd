"""Check of the rights of this server's role in PostgreSQL. Part of `doctor`."""

from __future__ import annotations

from typing import Any, Final

from doorward.ops.doctor.check import Finding, failed, passed

# The rights that the server's statements need; a role that creates and changes tables needs the schema too.
_LACKING: Final = """
SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema()
  AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
           AND (c.relname IN ('audit', 'schema_migrations') OR has_table_privilege(c.oid, 'UPDATE')))"""


async def rights(connection: Any) -> Finding:
    """Whether the role can read, write and migrate, and has not far more rights than that."""
    user: str = await connection.fetchval("SELECT current_user::text")
    lacking: str | None = await connection.fetchval(_LACKING)
    if lacking:
        return failed(
            f"{user} may not read and write {lacking}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}",
        )
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return passed(
            f"{user} is a superuser, and may do far more than this server needs",
            "Make a role of its own that owns this database alone.",
        )
    if not await connection.fetchval("SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NULL"):
            return failed(
                f"{user} may make no tables, and there are none: the first start would fail",
                f"GRANT CREATE ON SCHEMA public TO {user}, or let doorward migrate be run by who may.",
            )
        return passed(f"{user} may make no tables: run doorward migrate as their owner before an update")
    return passed(f"{user} may read, write and migrate")
