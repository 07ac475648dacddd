"""Owner and privileges of the tables of a refilled PostgreSQL database: the same as before.

A restore is often run by a role with more privileges than the server: an administrator, or the role that migrates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.storage.copy.side import Side
from doorward.storage.sql.statements import Row

_OWNER: Final = (
    "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = to_regclass('schema_migrations')"
    " AND pg_get_userbyid(relowner) <> current_user"
)
_GRANTS: Final = (
    "SELECT quote_ident(c.relname), quote_ident(pg_get_userbyid(a.grantee)), a.privilege_type"
    " FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a"
    " WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')"
    " AND a.grantee <> c.relowner AND a.grantee <> 0 ORDER BY 1, 2, 3"
)


async def as_owner(side: Side) -> None:
    """Become the owner of the existing tables until the end of the transaction."""
    for (owner,) in await side.rows(_OWNER):
        await side.run(f"SET LOCAL ROLE {owner}")


async def granted(side: Side) -> Sequence[Row]:
    """The privileges of other roles on the tables."""
    return await side.rows(_GRANTS)


async def grant_again(side: Side, grants: Sequence[Row]) -> None:
    """Grant the same privileges on the new tables."""
    for table, grantee, privilege in grants:
        if await side.has(table):
            await side.run(f"GRANT {privilege} ON {table} TO {grantee}")
