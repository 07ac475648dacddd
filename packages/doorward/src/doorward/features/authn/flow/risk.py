"""Port for the verdict on a sign-in whose first factor was right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.risk import Verdict
from doorward.core.model.session import KnownDevice
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.risk_mark import ASKS, marked
from doorward.storage.sql.store import Write
from doorward.web.pages.views.why import Why

REFUSED: Final = OAuthError(
    "access_denied",
    "This sign-in was stopped for the safety of the account.",
    "the verdict on the sign-in",
)

MAILBOX: Final = "email_code"
"""The kind of the step that is asked of people who have no other one: a code to the address of the account, which was proven."""


_OF_ONE_SIGN_IN: Final = "mailbox:"


class Judged(Struct, frozen=True):
    """The verdict, with the writes that record it, and those at the end of the sign-in. `verdict` is what is done, `allow` in shadow mode.
    `looked_up`: it was looked up whether the account knows the device; `known` is what was found."""

    verdict: Verdict = "allow"
    writes: tuple[Write, ...] = ()
    at_end: tuple[Write, ...] = ()
    looked_up: bool = False
    known: KnownDevice | None = None


class RiskJudge(Protocol):
    """Asked once in each sign-in that does not rest on a session."""

    async def judge(self, sign_in: SignIn, account: Account, caller: Caller, now: int) -> Judged:
        """The verdict. Nothing is committed here."""
        ...

    async def ended(self, account: Account, now: int) -> None:
        """Called after the commit of a verdict `end`."""
        ...

    async def because(self, sign_in: SignIn) -> tuple[Why, ...]:
        """Why this sign-in is asked for more, for somebody who has shown a first factor only."""
        ...


def rows_of(
    factors: OfferedFactors, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor]
) -> Sequence[EnrolledFactor]:
    """The factors `rows` of the person in this sign-in. Where a verdict asks for one more step and they have no second one, the proven
    address of the account is one, unless the sign-in began with a code to it."""
    if marked(sign_in.proofs) not in ASKS or not needs_mailbox(factors, sign_in, account, rows):
        return rows
    return (*rows, mailbox(account))


def needs_mailbox(
    factors: OfferedFactors, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor]
) -> bool:
    """Whether a code to the address of the account is the only further step that the person can show."""
    if account.email is None or MAILBOX not in factors.kinds or factors.two_steps(account, rows):
        return False
    shown = {proof.kind for proof in sign_in.proofs}
    return not any(one.restricted and one.comes_first and one.kind in shown for one in factors.traits)


def stored(rows: Sequence[EnrolledFactor]) -> list[EnrolledFactor]:
    """Those of `rows` that the account has, not in this sign-in alone."""
    return [row for row in rows if row.id != f"{_OF_ONE_SIGN_IN}{row.account_id}"]


def mailbox(account: Account) -> EnrolledFactor:
    """The address of the account as a factor of this sign-in alone. It has no row: no other sign-in asks for it."""
    return EnrolledFactor(f"{_OF_ONE_SIGN_IN}{account.id}", account.id, MAILBOX, account.created_at)
