"""Checks of text messages: whether they arrive, and whether a country is paused. Part of `doctor`; changes nothing."""

from __future__ import annotations

from typing import Final

from doorward.core.model.finding import Finding, failed, passed
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.feature import Examined

_HOUR: Final = 3600
_MANY: Final = 5
"""One in so many messages that do not arrive is a warning."""


async def text_messages(examined: Examined) -> Finding | None:
    """What became of the messages of the last hour. None: there are none, and no gateway."""
    store, now = examined.store, examined.now
    found = await store.outgoing_sms.by_country(now - _HOUR)
    written, lost = sum(one.written for one in found), sum(one.failed for one in found)
    paused = [
        str(event.detail.get("country"))
        for event in await store.audit.page(kind="sms.country_paused", limit=20)
        if event.at > now - _HOUR
    ]
    if examined.sections.of(SmsPolicy).channel == "none":
        return passed(f"{written} in the last hour, and there is no gateway now") if written else None
    if paused:
        return failed(
            f"paused for new numbers, since hardly a code came back: {', '.join(sorted(set(paused)))}",
            "Somebody may be sending messages at your expense: see sms.country_paused in the audit log. It ends by itself.",
        )
    if not written:
        return passed("none in the last hour")
    said = f"{lost} of {written} in the last hour did not arrive"
    if lost:
        by_country = ", ".join(f"{one.country} {one.failed} of {one.written}" for one in found if one.failed)
        said = f"{said} ({by_country})"
    if lost * _MANY < written:
        return passed(said)
    return passed(said, "The log says why (sms.failed); check sms.url, sms.token and the gateway's own log.")
