"""The factor plug as the sign-in flow sees it. The list of factors is `authn/index.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.held import FactorSummary, HeldFactor, NoticeName, ResetWords
from doorward.features.authn.flow.remembered import DeviceToRemember
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.storage.sql.store import Write
from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import Wrong
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import CodeWords, ProviderButton
from doorward.web.pages.words import Words

if TYPE_CHECKING:
    from doorward.features.authn.flow.rules.routing import RoutedDomain
    from doorward.features.sessions.browser_context import BrowserContext
    from doorward.web.http import Response

TYPED_CODE_PATH = "/sign-in/code"
"""The page shared by all factors whose proof is a typed code."""

ENROL_PATH = "/sign-in/enrol"
"""The page on which a person without a required second factor chooses one."""

PROVIDER_PATH = "/sign-in/provider"
"""The page with the accounts elsewhere with which a sign-in may begin."""

TYPED_CODE_STEP = "second_factor"
"""The name of the same step in the JSON sign-in."""


class UnsureFactors(Struct, frozen=True, kw_only=True):
    """Rows of an account, by id, that count less than others. `silent` were made without a question: they end no remembered device, unless
    every sign-in asks for them. `unreliable`: their owner may be unable to show them now."""

    silent: frozenset[str] = frozenset()
    unreliable: frozenset[str] = frozenset()


class Factor(Struct, frozen=True, kw_only=True):
    """A factor. Its setup and its own pages are routes of its feature; the order and the worth of factors are decided for all at once
    (`rules/next_factors.py`, `rules/assurance.py`).

    `traits` are the properties that the rules need. `path` is its sign-in page; the sign-in's id is appended as `flow`. `link` is
    the text of a link to it. `step` is its name in `next` of the JSON sign-in (None: it needs a browser), and `json_step` handles
    that (None: the step of another factor does). `typed_code` is set when its proof is a code typed on the shared page. `setup_path`
    is where a signed-in person sets it up; None if the page of sign-in methods has a card for it. Several factors may share a page
    and a step. `stands_in_for`: the kinds of the factors on whose existence its proofs depend, if not on its own; a backup is
    removed with the last of them. `reset_words`: what the mail about its reset says, if nothing else was removed.
    `offered`: whether this server can check it now; else only operators see who has it.

    An identity provider is a factor with `comes_first`; its page leads to the provider, and it has one more route for the way back.
    """

    traits: FactorTraits
    path: str
    link: str
    step: str | None = None
    json_step: JsonStep | None = None
    typed_code: TypedCode | None = None
    setup_path: str | None = None
    stands_in_for: frozenset[str] = frozenset()
    kept_at_reset: bool = False
    """Whether a reset of all second factors leaves it: it is a first one, without which its owner could not come back."""
    reset_words: ResetWords | None = None
    offered: bool = True

    def label(self, locale: str) -> str:
        """The text of a link to its page."""
        return Words(locale).text(self.link)

    def offer(self, browser_hash: bytes, flow: str | None, now: int) -> Fragment | None:
        """What the page of another first factor shows of this one, with scripts, in place of a link. The same for everybody: no person
        is known there (R80). `flow` is the sign-in's id; None before it is stored."""
        del browser_hash, flow, now
        return None

    def buttons(self) -> Sequence[ProviderButton]:
        """The accounts elsewhere with which the factor is shown, for the page of the password. The same for everybody (R80)."""
        return ()

    async def lead(
        self, browser: BrowserContext, sign_in: SignIn, routed: RoutedDomain, typed: str
    ) -> Response | None:
        """The way to the provider of the domain to which a typed address belongs. None: this factor has no providers."""
        del browser, sign_in, routed, typed
        return None

    async def described(
        self, sign_in: SignIn, account: Account | None, rows: Sequence[EnrolledFactor], now: int
    ) -> Mapping[str, Any]:
        """What an app needs in order to show the factor: members of its entry in `acceptable` of the JSON sign-in. `account` is None, and
        `rows` is empty, until a first factor has been shown: then the entry is the same for everybody (R80). Nothing is written."""
        if account is None or self.typed_code is None:
            return {}
        return {"method": self.traits.kind, **await self.typed_code.described(sign_in, account, rows, now)}

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the account has the factor and can use it now."""
        del account
        return any(row.kind == self.traits.kind and row.used_at is None for row in rows)

    async def lets_in(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person could begin a sign-in with it if they had only the factors `rows`. Asked of those with `comes_first`."""
        return self.enrolled(account, rows)

    async def unsure(self, account: Account, rows: Sequence[EnrolledFactor]) -> UnsureFactors:
        """Those of its rows that count less than others."""
        del account, rows
        return UnsureFactors()

    def keeps_password(self, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether it keeps the password of the person whose factors are `rows` elsewhere: then none is set or changed here."""
        del rows
        return False

    def names(self, account: Account, rows: Sequence[EnrolledFactor], locale: str) -> Sequence[str]:
        """What a mail to the person calls the ways in that it is for them, with the factors `rows`; none unless people would look for it
        instead of a password."""
        del account, rows, locale
        return ()

    def demanded(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the factors of the account require more than a first factor at every sign-in."""
        return self.traits.always_asked and self.enrolled(account, rows)

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether a proof of the factor still counts: it ends when the state that it proved changes (R94)."""
        del account
        return stands_by(proof, rows, self.stands_in_for or {self.traits.kind})

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[HeldFactor]:
        """Those of `rows` that are its own, as operators see them."""
        return [
            HeldFactor(
                id=row.id,
                kind=self.traits.kind,
                added_at=row.created_at,
                to=None if self.typed_code is None else self.typed_code.sent_to(account, row),
            )
            for row in rows
            if row.kind == self.traits.kind
        ]

    def summary(self, rows: Sequence[EnrolledFactor]) -> FactorSummary:
        """What operators see besides, whether or not the account has the factor."""
        del rows
        return FactorSummary()

    def named(self, one: HeldFactor) -> NoticeName:
        """How a mail names one to its owner."""
        return NoticeName(one.kind)


class JsonStep(AbstractStruct, frozen=True, kw_only=True):
    """A step of the JSON sign-in (OAuth 2.0 for First-Party Applications §5).

    `name` is its value in `next`; `field` is the request parameter that selects it.
    """

    name: str
    field: str
    meaning: ClassVar[str] = ""
    """The description of `field` in the OpenAPI document, if `web/openapi/parameters.py` has none."""
    remembers: ClassVar[bool] = False
    """Whether a second step by it can have the device remembered: then it implements `prove_on`."""

    @abstractmethod
    async def prove(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> SignIn | OAuthError:
        """The sign-in as stored now, or the same refusal as on the pages. Raises `HashingBusy`."""

    async def prove_on(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        remember: DeviceToRemember | None,
        caller: Caller,
        now: int,
    ) -> SignIn | OAuthError:
        """As `prove`; `remember` is stored in the commit of the proof. Only called where the step comes second."""
        del remember
        return await self.prove(sign_in, params, caller=caller, now=now)

    async def prove_new(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | OAuthError | None:
        """The same for a sign-in that is not stored yet, with the writes that store it. None: this step needs a stored sign-in."""
        del sign_in, params, caller, now
        return None


class RememberingStep(JsonStep, frozen=True, kw_only=True):
    """A step that can have the device remembered where it comes second."""

    remembers: ClassVar[bool] = True

    async def prove(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> SignIn | OAuthError:
        """The same on a device that is not to be remembered."""
        return await self.prove_on(sign_in, params, remember=None, caller=caller, now=now)

    @abstractmethod
    async def prove_on(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        remember: DeviceToRemember | None,
        caller: Caller,
        now: int,
    ) -> SignIn | OAuthError:
        """As `JsonStep.prove`; `remember`, if there is one, is stored in the commit of the proof."""


class TypedCode(ABC):
    """The handling of a typed code by one factor, whose kind is `kind`."""

    __slots__ = ()

    kind: ClassVar[str]
    words: ClassVar[CodeWords | None] = None
    """What the shared page says about its codes; None if they are sent: then it looks different."""
    wrong: ClassVar[Said] = Wrong.CODE_WRONG
    """What the page says of a wrong code that was typed for this factor."""

    @property
    def method(self) -> str:
        """The name of the factor in addresses of the shared page. It never changes."""
        return self.kind

    @abstractmethod
    def takes(self, typed: str) -> bool:
        """Whether the text can be one of its codes."""

    @abstractmethod
    async def match(
        self, account: Account, rows: Sequence[EnrolledFactor], typed: str, request: str, now: int
    ) -> tuple[Proof, Sequence[Write]] | None:
        """The proof, and the writes that spend the code, one of them guarded; None for a wrong or spent one. `request` is the id of the
        sign-in: a code that was sent counts only there."""

    def sent_to(self, account: Account, row: EnrolledFactor) -> str | None:
        """Where its codes are sent, as the pages show it; None if they are not sent."""
        del account, row
        return None

    async def described(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], now: int
    ) -> Mapping[str, Any]:
        """Further members of the factor's entry in the JSON sign-in."""
        del sign_in, account, rows, now
        return {}

    def spent(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> Sequence[Write]:
        """Further writes after a code was used. `rows` are the factors before the use."""
        del account, rows, caller, now
        return ()
