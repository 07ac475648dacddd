"""E-mail messages about connected accounts of other services."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import AccountNotice, MessageWords
from doorward.web.pages.words import N_, calm


class _ConnectionNotice(AccountNotice, frozen=True, kw_only=True):
    """A notice about one connection; `name` is that of the service."""

    name: str = ""

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What happened, and with which service."""
        return (say.text(self.said), calm(self.name))


class ProviderConnected(_ConnectionNotice, frozen=True):
    """Notice that an account at a provider was connected."""

    kind: ClassVar[str] = "provider_connected"
    subject: ClassVar[str] = N_("An account of another service was connected to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on whoever signs in to that account can sign in here as you.")


class ProviderDisconnected(_ConnectionNotice, frozen=True):
    """Notice that an account at a provider was disconnected."""

    kind: ClassVar[str] = "provider_disconnected"
    subject: ClassVar[str] = N_(
        "An account of another service was disconnected from your account at %(brand)s"
    )
    said: ClassVar[str] = N_("It can't be used to sign in here any more.")
