"""What the page of sign-in methods shows of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.storage.sql.store import Store
from doorward.web.pages.views.fragment import Fragment


class ShownMethods(Struct, frozen=True):
    """The cards of the factors, and how many characters a new password needs beside them, unless it is kept elsewhere. `ways`: what the
    person signs in with, the password aside."""

    cards: tuple[Fragment, ...]
    minimum: int
    password_elsewhere: bool = False
    ways: tuple[str, ...] = ()


@final
class OwnMethods(Struct, frozen=True, kw_only=True):
    """`cards` are those of all factors, in the order of the page."""

    store: Store
    policy: SecondFactorPolicy
    judge: JudgePassword
    factors: OfferedFactors
    cards: Sequence[MethodCards]

    async def shown(self, account: Account, locale: str) -> ShownMethods:
        """What the page shows, in the language `locale`."""
        rows = await self.store.accounts.factors(account.id)
        owner = CardOwner(account=account, rows=rows, allowed=self.policy.allowed, locale=locale)
        found = [await one.card(owner) for one in self.cards]
        return ShownMethods(
            tuple(card for card in found if card is not None),
            self.judge.minimum(second_factor=self.factors.beside_password(account, rows)),
            self.factors.password_elsewhere(rows),
            self.factors.named_ways(account, rows, locale),
        )
