"""The factor plug, as the sign-in flow asks it. The list of factors is `authn/index.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from doorward.core.errors import Refusal
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.store import Write
from doorward.features.authn.flow.rules.assurance import FactorTraits

TYPED_CODE_PATH = "/sign-in/code"
"""The page of every factor whose proof is a code that is typed."""

TYPED_CODE_STEP = "second_factor"
"""What the JSON sign-in calls the same."""


class Factor(Protocol):
    """A factor. How it is set up, and its own pages, are routes of its feature; what may be shown next, and what it is worth, is decided
    for all factors at once (`rules/next_factors.py`, `rules/assurance.py`).

    `path` is its sign-in page; the sign-in's id is added, as `flow`. `step` is its name in `next` of the JSON sign-in (None: it needs a
    browser). Several factors may share a page and a step. An identity provider is a factor that comes first, whose page leads to the
    provider, and which has one more route for the way back.
    """

    @property
    def traits(self) -> FactorTraits:
        """What the rules need to know of it."""
        ...

    @property
    def path(self) -> str: ...

    @property
    def setup_path(self) -> str | None:
        """Where a signed-in person sets it up. None where the page of sign-in methods has a card for it."""
        ...

    @property
    def step(self) -> str | None: ...

    @property
    def json_step(self) -> JsonStep | None:
        """Answers `step`. None: another one does."""
        ...

    @property
    def typed_code(self) -> TypedCode | None:
        """For a factor that is shown by a code on the page that such factors share."""
        ...

    def label(self, locale: str) -> str:
        """What a link to its page says."""
        ...

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the account has it, and could show it now."""
        ...

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether a proof of it still counts: it ends with the state that it was made for (R94)."""
        ...


class JsonStep(Protocol):
    """A step of the JSON sign-in (OAuth 2.0 for First-Party Applications §5).

    `name` is what `next` says; `field` the parameter by which a request takes this step.
    """

    @property
    def name(self) -> str: ...

    @property
    def field(self) -> str: ...

    async def prove(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        devices: tuple[bytes, ...],
        caller: Caller,
        now: int,
    ) -> SignIn | Refusal:
        """The sign-in as stored now, or a refusal as of the pages. Raises `HashingBusy`."""
        ...

    async def prove_new(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        devices: tuple[bytes, ...],
        caller: Caller,
        now: int,
    ) -> tuple[SignIn, list[Write]] | Refusal | None:
        """The same for a sign-in that is not stored yet, with the writes that store it. None: this step wants it stored first."""
        ...


class TypedCode(Protocol):
    """What a factor says of a code that was typed."""

    def takes(self, typed: str) -> bool:
        """Whether it can be one of its codes: the first factor that takes it alone looks at it."""
        ...

    def match(self, rows: Sequence[EnrolledFactor], typed: str, now: int) -> tuple[Proof, Write] | None:
        """The proof, and the write that spends the code; None for a wrong or spent one."""
        ...

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """What else is written when one of its codes was used. `rows` are those from before."""
        ...
