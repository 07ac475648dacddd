"""Check of `doorward doctor`: the audit log is sealed and signed in time, and nobody saw its chain break."""

from __future__ import annotations

from typing import Final

from doorward.core.model.audit_filter import AuditFilter
from doorward.core.model.finding import Finding, failed, passed
from doorward.features.audit.rules.verify import BROKEN
from doorward.features.audit.sealer import HEAD_EVERY
from doorward.features.feature import Examined

_LATE: Final = 300
"""Seconds: a running server seals within some."""


async def chain_of_audit_log(at: Examined) -> Finding | None:
    """None before the first line."""
    chain = at.store.audit_chain
    waiting, _ = await chain.backlog()
    last, head = await chain.last(), await chain.newest_head()
    if last is None and not waiting:
        return None
    broken = await at.store.audit.filtered(AuditFilter(kind=BROKEN), limit=1)
    if broken:
        return failed(
            f"a server saw the chain change behind its back: line {broken[0].id}",
            "doorward audit verify names the first line that is not as it was; compare with a head kept elsewhere.",
        )
    newest = await at.store.audit.page(limit=1)
    late = waiting and newest and newest[0].at < at.now - _LATE
    if late:
        return failed(
            f"{waiting} lines are not sealed, the newest for {(at.now - newest[0].at) // 60} minutes",
            "Start a server, which seals them. If one runs, look into its log for audit and background.",
        )
    said = f"{last.seq if last else 0} lines sealed"
    if waiting:
        said += f", {waiting} wait"
    if head is None:
        return passed(f"{said}, and no head is signed yet", "A running server signs one within minutes.")
    unsigned = last is not None and last.seq > head.seq and head.at < at.now - 3 * HEAD_EVERY
    said += f", signed up to place {head.seq}"
    return passed(said, "doorward audit head signs the lines since then." if unsigned else "")
