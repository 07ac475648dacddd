"""The factor plug, as the sign-in flow asks it. The list of factors is `authn/index.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.storage.sql.store import Write
from doorward.web.pages.words import Words

TYPED_CODE_PATH = "/sign-in/code"
"""The page of every factor whose proof is a code that is typed."""

TYPED_CODE_STEP = "second_factor"
"""What the JSON sign-in calls the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A factor. How it is set up, and its own pages, are routes of its feature; what may be shown next, and what it is worth, is decided
    for all factors at once (`rules/next_factors.py`, `rules/assurance.py`).

    `traits` are what the rules need to know of it. `path` is its sign-in page; the sign-in's id is added, as `flow`. `link` is what a link
    to it says. `step` is its name in `next` of the JSON sign-in (None: it needs a browser), and `json_step` answers that (None: another
    factor's does). `typed_code` is for a factor that is shown by a code on the page that such factors share. `setup_path` is where a
    signed-in person sets it up; None where the page of sign-in methods has a card for it. Several factors may share a page and a step.
    `stands_in_for` is the kind of the factor with which it goes.

    An identity provider is a factor that comes first, whose page leads to the provider, and which has one more route for the way back.
    """

    traits: FactorTraits
    path: str
    link: str
    step: str | None = None
    json_step: JsonStep | None = None
    typed_code: TypedCode | None = None
    setup_path: str | None = None
    stands_in_for: str | None = None

    def label(self, locale: str) -> str:
        """What a link to its page says."""
        return Words(locale).text(self.link)

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the account has it, and could show it now."""
        del account
        return any(row.kind == self.traits.kind and row.used_at is None for row in rows)

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether a proof of it still counts: it ends with the state that it was made for (R94)."""
        del account
        return stands_by(proof, rows, self.stands_in_for or self.traits.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonStep(ABC):
    """A step of the JSON sign-in (OAuth 2.0 for First-Party Applications §5).

    `name` is what `next` says; `field` the parameter by which a request takes this step.
    """

    name: str
    field: str

    @abstractmethod
    async def prove(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> SignIn | Refusal:
        """The sign-in as stored now, or a refusal as of the pages. Raises `HashingBusy`."""

    async def prove_new(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | Refusal | None:
        """The same for a sign-in that is not stored yet, with the writes that store it. None: this step wants it stored first."""
        del sign_in, params, caller, now
        return None


class TypedCode(ABC):
    """What a factor says of a code that was typed."""

    __slots__ = ()

    @abstractmethod
    def takes(self, typed: str) -> bool:
        """Whether it can be one of its codes: the first factor that takes it alone looks at it."""

    @abstractmethod
    def match(self, rows: Sequence[EnrolledFactor], typed: str, now: int) -> tuple[Proof, Write] | None:
        """The proof, and the write that spends the code; None for a wrong or spent one."""

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """What else is written when one of its codes was used. `rows` are those from before."""
        del account, rows, caller, now
        return ()
