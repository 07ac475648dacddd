"""A factor and an identity provider from outside the tree: what their folders would hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from doorward.core.errors import Refusal
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.store import Store, Write
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.proving import GONE, add_proof
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import shown_with, stands_by
from doorward.features.authn.slots import FACTORS
from doorward.features.feature import Feature
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages, PagePost, PageVisit, StalePost
from doorward.web.http import Response, redirect
from doorward.web.route import Route

TOY = FactorTraits(kind="toy", amr=("toy",), counts_for=frozenset({"held"}))
PROVIDED = FactorTraits(kind="toy_provider", amr=("fed",), counts_for=frozenset({"known"}), comes_first=True)
WORD = "open sesame"
PROVIDER = "https://provider.example/authorize"


async def show_toy(store: Store, sign_in: SignIn, said: str, now: int) -> SignIn | Refusal:
    """Adds the proof of the toy that the account has, for the right word."""
    rows = await store.accounts.factors(sign_in.account_id or "")
    row = next((row for row in rows if row.kind == "toy"), None)
    if row is None or sign_in.account_id is None:
        return GONE
    if said != WORD:
        return Refusal("access_denied", "Another word.", "wrong word")
    return await add_proof(store, sign_in, sign_in.account_id, shown_with(TOY, row, now), now)


@dataclass(frozen=True, kw_only=True)
class ToyStep:
    """`toy` of the JSON sign-in."""

    store: Store
    name: str = "toy"
    field: str = "toy"

    async def prove(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        devices: tuple[bytes, ...],
        caller: Caller,
        now: int,
    ) -> SignIn | Refusal:
        """The word."""
        del devices, caller
        return await show_toy(self.store, sign_in, params["toy"], now)

    async def prove_new(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        devices: tuple[bytes, ...],
        caller: Caller,
        now: int,
    ) -> tuple[SignIn, list[Write]] | Refusal | None:
        """Nothing yet."""
        del sign_in, params, devices, caller, now
        return None


@dataclass(frozen=True, kw_only=True)
class ToyFactor:
    """A toy that somebody has, asked for only where an app wants two factors."""

    store: Store
    json_step: ToyStep
    traits: FactorTraits = TOY
    path: str = "/sign-in/toy"
    setup_path: str = "/account/methods/toy"
    step: str = "toy"
    typed_code: None = None

    def label(self, locale: str) -> str:
        """In every language."""
        return f"Show your toy ({locale})"

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether there is one."""
        del account
        return any(row.kind == "toy" for row in rows)

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """While it is there."""
        del account
        return stands_by(proof, rows, "toy")

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """A page and its form."""

        async def ask(visit: PageVisit) -> Response:
            browser, sign_in = await flow.current(visit.browser, visit.query.get("flow"))
            form = f'<form id="toy" method="post" action="{self.path}"><input name="csrf" value="{browser.context.csrf_token}">'
            form += f'<input name="flow" value="{sign_in.id if sign_in else ""}"><input name="word"></form>'
            return Response(200, [(b"content-type", b"text/html; charset=utf-8")], form.encode())

        async def answer(post: PagePost) -> Response:
            sign_in = await flow.load(post.browser, post.form.get("flow"))
            shown = await show_toy(self.store, sign_in, post.form.get("word", ""), post.browser.now)
            return await flow.follow(post.browser, sign_in if isinstance(shown, Refusal) else shown)

        async def refused(post: StalePost) -> Response:
            return post.browser.go("/sign-in")

        return [pages.get(self.path, ask), pages.post(self.path, answer, refused=refused)]


@dataclass(frozen=True, kw_only=True)
class ToyProvider:
    """Somebody else's word for who the person is. Its subjects are account ids."""

    store: Store
    traits: FactorTraits = PROVIDED
    path: str = "/sign-in/toy-provider"
    setup_path: None = None
    step: None = None
    json_step: None = None
    typed_code: None = None

    def label(self, locale: str) -> str:
        """In every language."""
        del locale
        return "Continue with Toy & Co"

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Everybody is known there."""
        del account, rows
        return True

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """For good."""
        del proof, account, rows
        return True

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The way there, and the way back. `state` is of this sign-in and this browser."""

        async def leave(visit: PageVisit) -> Response:
            sign_in = await flow.load(visit.browser, visit.query.get("flow"))
            state = f"{sign_in.id}.{digest(sign_in.id + visit.browser.secret).hex()}"
            return redirect(f"{PROVIDER}?{urlencode({'state': state})}")

        async def come_back(visit: PageVisit) -> Response:
            sign_in_id, _, mark = visit.query.get("state", "").partition(".")
            sign_in = await flow.load(visit.browser, sign_in_id)
            if mark != digest(sign_in.id + visit.browser.secret).hex():
                return visit.browser.go("/sign-in")
            proof = Proof("toy_provider", visit.browser.now, ("fed",))
            shown = await add_proof(self.store, sign_in, visit.query["sub"], proof, visit.browser.now)
            return await flow.follow(visit.browser, sign_in if isinstance(shown, Refusal) else shown)

        return [pages.get(self.path, leave), pages.get(f"{self.path}/callback", come_back)]


def _factors(services: Services) -> Sequence[FactorPlug]:
    store = services.store
    return (ToyFactor(store=store, json_step=ToyStep(store=store)), ToyProvider(store=store))


TOYS = Feature(name="toys", adds=(FACTORS.filled_by(_factors),))
"""What a container is given: `open_container(features=(*FEATURES, TOYS))`."""
