"""Checks of the public address and of the proxies in front. Part of `doctor`."""

from __future__ import annotations

import ipaddress
from typing import Final

from doorward.core.model.finding import Finding, failed, passed
from doorward.server.sockets import UNIX
from doorward.settings import Settings

# A network with more addresses than any proxy fleet: 10.0.0.0/8 is the largest that one organisation owns.
_WIDEST: Final = {4: 8, 6: 32}


def issuer(settings: Settings) -> Finding:
    """Whether people can use the issuer's address."""
    issuer = settings.issuer
    if issuer.startswith("https://"):
        return passed(f"{issuer}: cookies are __Host- and Secure")
    if settings.development:
        return passed(f"{issuer}: development, cookies without Secure")
    return failed(
        f"{issuer} is plain http on this machine: nobody else can sign in, and cookies are not Secure",
        "Set issuer to the https address that people use, or development = true.",
    )


def proxies(settings: Settings) -> Finding:
    """Whether forwarding headers are trusted from the proxy, and from no other address."""
    server = settings.server
    for text in server.trusted_proxies:
        network = ipaddress.ip_network(text, strict=False)
        if network.prefixlen < _WIDEST[network.version]:
            return failed(
                f"server.trusted_proxies holds {text}: almost anybody may claim any address",
                "Name the proxy's own address there.",
            )
    if server.trusted_proxies:
        return passed(f"X-Forwarded-For is believed from {', '.join(server.trusted_proxies)}")
    if server.host.startswith(UNIX):
        return passed("X-Forwarded-For is believed from whoever may open the socket")
    if settings.issuer.startswith("https:") and server.tls_cert is None:
        return passed(
            "a proxy ends TLS, and is not named: everybody seems to come from its address, and is throttled as one",
            'Set server.trusted_proxies = ["127.0.0.1"] (the address from which the proxy connects). A socket needs none.',
        )
    return passed("none")
