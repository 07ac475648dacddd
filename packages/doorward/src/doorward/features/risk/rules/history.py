"""Facts of an account's past, from its audit lines: the same code for a sign-in now, a replay, and a trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core.model.audit import AuditEvent
from doorward.core.model.device import describe
from doorward.core.model.risk import PastSignIn, RiskFacts, Whereabouts

ASSESSED: Final = "risk.assessed"
SHADOWED: Final = "risk.shadowed"
SIGNED_IN: Final = "sign_in.succeeded"
FAILED: Final = "sign_in.failed"
REPLAYED: Final = "refresh_token.replayed"
TWO_NETWORKS: Final = "refresh_token.two_networks"
BREACHED: Final = "sign_in.password_breached"
CHANGES: Final = (
    "account.email_changed",
    "second_factor.added",
    "second_factor.removed",
    "passkey.added",
    "passkey.removed",
)
KINDS: Final = (SIGNED_IN, FAILED, REPLAYED, TWO_NETWORKS, BREACHED, *CHANGES)
"""The audit lines that a sign-in is judged by."""

MOST_PAST: Final = 60
"""Sign-ins that are remembered of one account, and lines of each other kind that are read."""
DAY: Final = 86_400
LONGEST: Final = 400 * DAY
"""How far back lines are read, in seconds."""
MOMENT: Final = 3600
"""Seconds after a right password in which its sign-in ends: no sign-in takes longer."""

Locate = Callable[[str | None], Whereabouts]


class History(Struct, frozen=True):
    """What the audit log says of one account before a moment."""

    past: tuple[PastSignIn, ...] = ()
    networks_failed: int = 0
    changed_at: int | None = None
    replayed_at: int | None = None
    breached_at: int | None = None
    two_networks_at: int | None = None
    two_networks: tuple[Whereabouts, Whereabouts] | None = None


def history(events: Sequence[AuditEvent], locate: Locate, now: int) -> History:
    """The history at `now` (seconds) from lines of `KINDS`, newest first. Only a success makes a network, a place or a browser known."""
    # most lines come from one browser
    described = cache(describe)
    past = tuple(
        PastSignIn(one.at, locate(one.address), described(one.user_agent or ""), new_device(one))
        for one in islice((one for one in events if one.kind == SIGNED_IN), MOST_PAST)
    )
    failed = {
        network
        for one in events
        if one.kind == FAILED and one.at > now - DAY and (network := locate(one.address).network)
    }
    found = History(
        past,
        len(failed),
        _newest(events, CHANGES),
        _newest(events, (REPLAYED,)),
        _newest(events, (BREACHED,)),
    )
    twice = next((one for one in events if one.kind == TWO_NETWORKS), None)
    if twice is None:
        return found
    both = (locate(_text(twice.detail, "one")), locate(_text(twice.detail, "other")))
    return structs.replace(found, two_networks_at=twice.at, two_networks=both)


def new_device(line: AuditEvent) -> bool:
    """Whether the account did not know the device of this sign-in."""
    return line.detail.get("new_device") == "yes"


def with_history(facts: RiskFacts, found: History) -> RiskFacts:
    """The facts of this sign-in, and those of the account's past."""
    return structs.replace(
        facts,
        past=found.past,
        networks_on_account=found.networks_failed,
        changed_at=found.changed_at,
        replayed_at=found.replayed_at,
        breached=found.breached_at is not None and found.breached_at >= facts.at - MOMENT,
        two_networks_at=found.two_networks_at,
        two_networks=found.two_networks,
    )


def _newest(events: Sequence[AuditEvent], kinds: Sequence[str]) -> int | None:
    """When the newest of these happened. What operators do says nothing about the person."""
    return next((one.at for one in events if one.kind in kinds and one.detail.get("by") != "operator"), None)


def _text(detail: dict[str, Any], name: str) -> str | None:
    value = detail.get(name)
    return value if isinstance(value, str) else None
