"""Check of the age of the last backup, from the audit log, where every backup writes a line. Part of `doctor`."""

from __future__ import annotations

from doorward.core.model.finding import Finding, passed
from doorward.storage.sql.store import Store

_DAY = 86_400
_OLD = 7
_FIX = "doorward backup FILE, from a timer; and keep the key-encryption key elsewhere."


async def last_backup(store: Store, *, now: int, development: bool) -> Finding:
    """A warning when there is no backup, or none for a week. Other backup programs write no line here. Raises
    `StoreUnavailable`."""
    lines = await store.audit.page(kind="database.backed_up", limit=1)
    if not lines:
        said = "none was made by doorward backup yet"
        return passed(said, "" if development else _FIX)
    days = max(0, now - lines[0].at) // _DAY
    said = "less than a day ago" if days == 0 else f"{days} days ago"
    return passed(f"the last one {said}", _FIX if days >= _OLD and not development else "")
