"""The plug of places that know people's passwords: this server's own database, and directories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof
from doorward.storage.sql.store import Write
from doorward.web.pages.views.said import Said


class PasswordAsked(Struct, frozen=True, kw_only=True):
    """A name and a password as typed; the password is "" if it was longer than any is. `who` is the name in the form that counters
    have; `account` the account with this address, if there is one. `known`: it is the account of the signed-in person who types, and
    nobody else's password is asked for."""

    identifier: str
    who: str
    password: Secret
    account: Account | None
    caller: Caller
    now: int
    known: bool = False


class ProvenPassword(Struct, frozen=True, kw_only=True):
    """The password was right. `writes` belong to the commit of the proof."""

    account: Account
    proof: Proof
    writes: tuple[Write, ...] = ()


class PasswordSource(Protocol):
    """Sources are asked in their order until one says yes, or that the person may not sign in. Each does the same work whoever has the
    name (R80)."""

    @property
    def problems(self) -> Mapping[str, Said]:
        """The sentences for pages, by the descriptions of the refusals."""
        ...

    async def owner(self, who: str) -> str | None:
        """The id of the account that signs in by this name here and does not have it as its address, so that a device known to it has
        counters of its own (R95)."""
        ...

    async def check(self, asked: PasswordAsked) -> ProvenPassword | OAuthError | None:
        """None: it is not the password, or nobody has the name. A refusal is said only to those who typed the right password, or is the
        same for everybody (`temporarily_unavailable`, `too_many_attempts`). Raises `HashingBusy`."""
        ...
