"""Check of the clocks of the running servers. Part of `doctor`; changes nothing.

A server's clock never runs back (`adapters/clock.py`): one that was ahead by a day stays ahead after the machine's clock is
corrected. Its entries in the database show that, from any machine.
"""

from __future__ import annotations

from datetime import timedelta

from doorward.adapters.clock import AHEAD
from doorward.cluster.node_registry import HEARD_OF_WITHIN
from doorward.core.model.finding import Finding, failed, passed
from doorward.storage.sql.store import Store


async def servers(store: Store, now: int) -> Finding:
    """Whether a process is ahead of this machine's clock (`now`, seconds), or was. Raises `StoreUnavailable`."""
    due = await store.nodes.heard_of_by()
    ahead = 0 if due is None else due - HEARD_OF_WITHIN - now
    if ahead > AHEAD:
        return failed(
            f"a process is {timedelta(seconds=ahead)} ahead of this machine's clock, and goes on so: APIs refuse its tokens",
            "Let NTP keep every clock, then reload every server (SIGHUP, systemctl reload doorward): no request is lost.",
        )
    newest = await store.audit.page(limit=1)
    since = newest[0].at - now if newest else 0
    if since > AHEAD:
        return passed(
            f"the audit log was written to {timedelta(seconds=since)} from now: a clock was ahead",
            "Nothing to mend. What is different until then: docs/explain/clocks.md.",
        )
    return passed("none is ahead of this machine's")
