"""Domains whose people sign in at a provider: which one an address belongs to. The same for every address of a domain, known or not (R80)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from msgspec import Struct, field

from doorward.core.login_name import normalise_email


class RoutedDomain(Struct, frozen=True, kw_only=True):
    """`domain` is in ASCII; `provider` is the name of the provider's section, `label` what people call it. `only`: no password, code by
    mail, reset or sign-up is offered for its addresses."""

    domain: str
    provider: str
    label: str
    only: bool = False


@final
class DomainRoutes(Struct, frozen=True):
    """All of them, by domain in ASCII and lower case."""

    by_domain: Mapping[str, RoutedDomain] = field(default_factory=dict[str, RoutedDomain])

    def of(self, typed: str | None) -> RoutedDomain | None:
        """Where the address that somebody typed belongs. It is read as where accounts are looked up, so that no spelling of an address
        (case, full-width letters, Unicode or ASCII form of the domain) is routed otherwise than its account. A subdomain is another
        domain; a subaddress (`ada+shop@…`) is one of the same. None, a
        person without an address, belongs nowhere."""
        address = normalise_email(typed) if typed is not None and self.by_domain else None
        return None if address is None else self.by_domain.get(address.rpartition("@")[2])

    def only(self, typed: str | None) -> RoutedDomain | None:
        """The same, if nothing else is offered to its people."""
        found = self.of(typed)
        return found if found is not None and found.only else None
