"""What a factor shows on pages of others: its card among the sign-in methods, and offers to a person who has just signed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.session import Session
from doorward.web.pages.views.fragment import Fragment


class CardOwner(Struct, frozen=True, kw_only=True):
    """The person whose sign-in methods are shown: `rows` are all their factors, `allowed` the kinds that people may set up, `locale` the
    language of the page."""

    account: Account
    rows: Sequence[EnrolledFactor]
    allowed: frozenset[str]
    locale: str


class MethodCards(ABC):
    """The card of a factor on the page of sign-in methods."""

    @abstractmethod
    async def card(self, owner: CardOwner) -> Fragment | None:
        """The card; None if the person can neither see nor do anything there."""


class ProfileOffers(ABC):
    """What a factor offers on the page of the profile, where a sign-in ends that no app began."""

    @abstractmethod
    async def offer(
        self, account: Account, session: Session, *, browser_hash: bytes, now: int
    ) -> Fragment | None:
        """The part of the page; None if there is nothing to offer. Only called soon after a proof. Seconds."""
