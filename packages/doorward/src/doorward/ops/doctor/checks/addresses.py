"""Check of the client addresses that the server sees. Part of `doctor`; changes nothing."""

from __future__ import annotations

import ipaddress
from typing import Final

from doorward.core.model.finding import Finding, passed
from doorward.settings import Settings
from doorward.storage.sql.store import Store
from doorward.web.forwarded import Proxies, without_port

LOOKED_AT: Final = 200
ENOUGH: Final = 20
"""Minimum of recorded requests: fewer from one address may be a single person who tries things out."""


async def addresses(settings: Settings, store: Store) -> Finding | None:
    """Whether the server sees people's addresses, or the proxy's for all of them: then everybody shares one counter of wrong
    guesses, and the audit log shows no origin. None in development."""
    if settings.development:
        return None
    seen = [event.address for event in await store.audit.page(limit=LOOKED_AT) if event.address]
    if len(seen) < ENOUGH:
        return passed("too few requests in the audit log to tell")
    ours = Proxies([ipaddress.ip_network(text, strict=False) for text in settings.server.trusted_proxies])
    found = set(seen)
    if all(_of_proxy(address, ours, alone=len(found) == 1) for address in found):
        which = ", ".join(sorted(found)[:3])
        fix = (
            "Have the proxy send X-Forwarded-For with the client's address. nginx: proxy_set_header X-Forwarded-For"
            " $proxy_add_x_forwarded_for;"
            if ours or settings.server.host.startswith("unix:")
            else f'Set server.trusted_proxies = ["{sorted(found)[0]}"], and have the proxy send X-Forwarded-For.'
        )
        said = f"the last {len(seen)} requests in the audit log all came from {which}: the proxy, not the people behind it"
        return passed(f"{said}. All of them are throttled as one", fix)
    return passed(f"{len(found)} in the last {len(seen)} requests of the audit log")


def _of_proxy(text: str, ours: Proxies, *, alone: bool) -> bool:
    """Whether the address can only be the proxy's: it is a trusted proxy, or the only address and one of this machine or a
    private network."""
    if text == "unix:" or ours.believes(text):
        return True
    address = without_port(text)
    return address is not None and alone and (address.is_loopback or address.is_private)
