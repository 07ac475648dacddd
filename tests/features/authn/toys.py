"""A factor with its message, and an identity provider, from outside the tree: the content of their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.mail_queue import MailQueue
from doorward.features.authn.flow.factor import JsonStep
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.proving import GONE, add_proof
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.authn.slots import FACTORS
from doorward.features.feature import Feature
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages, PagePost, PageVisit, StalePost
from doorward.features.slots import MESSAGES
from doorward.storage.sql.store import Store
from doorward.web.http import Response, redirect
from doorward.web.mail.message import MessageText, MessageWords
from doorward.web.pages.views.fragment import Fragment
from doorward.web.route import Route

TOY = FactorTraits(kind="toy", amr=("toy",), counts_for=frozenset({"held"}))
PROVIDED = FactorTraits(kind="toy_provider", amr=("fed",), counts_for=frozenset({"known"}), comes_first=True)
SHOWN_THERE = FactorTraits(kind="toy_passkey", amr=("toy",), counts_for=frozenset({"held"}), comes_first=True)
WORD = "open sesame"
PROVIDER = "https://provider.example/authorize"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyShown:
    """A message from outside the tree: the toy was used."""

    kind: ClassVar[str] = "toy_shown"
    at: int

    def text(self, say: MessageWords, /) -> MessageText:
        """Its own words in every language, and the server's common words."""
        return MessageText(
            subject=f"Your toy was shown ({say.words.locale})",
            paragraphs=(say.when(self.at),),
            links=say.if_not_you(),
        )


async def show_toy(
    store: Store, mail: MailQueue, sign_in: SignIn, said: str, now: int
) -> SignIn | OAuthError:
    """Adds the proof of the account's toy, for the right word, and mails the owner."""
    account = await store.accounts.get(sign_in.account_id or "")
    rows = await store.accounts.factors(sign_in.account_id or "")
    row = next((row for row in rows if row.kind == "toy"), None)
    if row is None or account is None:
        return GONE
    if said != WORD:
        return OAuthError("access_denied", "Another word.", "wrong word")
    notice = mail.write("toy_shown", to=account.known_as, locale=account.locale, now=now, values={"at": now})
    return await add_proof(
        store, sign_in, account.id, shown_with(TOY, row, now), now, store.messages.insert_mail(notice)
    )


class ToyStep(JsonStep, frozen=True, kw_only=True):
    """`toy` of the JSON sign-in."""

    store: Store
    mail: MailQueue
    name: str = "toy"
    field: str = "toy"

    async def prove(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> SignIn | OAuthError:
        """Proves by the word."""
        del caller
        return await show_toy(self.store, self.mail, sign_in, params["toy"], now)


class ToyFactor(FactorPlug, frozen=True, kw_only=True):
    """A toy that the account holds, required only if an app requests two factors."""

    store: Store
    mail: MailQueue
    traits: FactorTraits = TOY
    path: str = "/sign-in/toy"
    setup_path: str = "/account/methods/toy"
    step: str = "toy"
    link: str = "Show your toy"

    def label(self, locale: str) -> str:
        """The same in every language."""
        return f"{self.link} ({locale})"

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """A page and its form."""

        async def ask(visit: PageVisit) -> Response:
            browser, sign_in = await flow.current(visit.browser, visit.query.get("flow"))
            form = f'<form id="toy" method="post" action="{self.path}"><input name="csrf" value="{browser.context.csrf_token}">'
            form += f'<input name="flow" value="{sign_in.id if sign_in else ""}"><input name="word"></form>'
            return Response(200, [(b"content-type", b"text/html; charset=utf-8")], form.encode())

        async def answer(post: PagePost) -> Response:
            sign_in = await flow.load(post.browser, post.form.get("flow"))
            shown = await show_toy(
                self.store, self.mail, sign_in, post.form.get("word", ""), post.browser.now
            )
            return await flow.follow(post.browser, sign_in if isinstance(shown, OAuthError) else shown)

        async def refused(post: StalePost) -> Response:
            return post.browser.go("/sign-in")

        return [pages.get(self.path, ask), pages.post(self.path, answer, refused=refused)]


class ToyProvider(FactorPlug, frozen=True, kw_only=True):
    """An identity provider. Its subjects are account ids."""

    store: Store
    traits: FactorTraits = PROVIDED
    path: str = "/sign-in/toy-provider"
    link: str = "Continue with Toy & Co"

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Every account is enrolled."""
        del account, rows
        return True

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Proofs never end."""
        del proof, account, rows
        return True

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The redirect to the provider and the callback. `state` is bound to this sign-in and this browser."""

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
            return await flow.follow(visit.browser, sign_in if isinstance(shown, OAuthError) else shown)

        return [pages.get(self.path, leave), pages.get(f"{self.path}/callback", come_back)]


class ToyOffer(Fragment, frozen=True, kw_only=True):
    """What the page of the password shows of it."""

    template: ClassVar[str] = "tests.features.authn:toy_offer.html"
    script: ClassVar[str | None] = "passkeys.js"
    options: str
    renew: str


class ToyPasskey(ToyProvider, frozen=True, kw_only=True):
    """A first factor that the page of the password shows itself, to a script."""

    traits: FactorTraits = SHOWN_THERE
    path: str = "/sign-in/toy-passkey"
    link: str = "Use your toy passkey"

    def offer(self, browser_hash: bytes, flow: str | None, now: int) -> Fragment | None:
        """Options that name the browser and the sign-in."""
        return ToyOffer(
            options=f'{{"of": "{browser_hash.hex()} {flow or ""} {now}"}}', renew=f"{self.path}/options"
        )


def _factors(services: Services) -> Sequence[FactorPlug]:
    store, mail = services.store, services.mail
    toy = ToyFactor(store=store, mail=mail, json_step=ToyStep(store=store, mail=mail))
    return (toy, ToyProvider(store=store))


TOYS = Feature(name="toys", adds=(FACTORS.filled_by(_factors), MESSAGES.filled_by(lambda _: (ToyShown,))))
"""What a container is given: `open_container(features=(*FEATURES, TOYS))`."""

PASSKEY_TOY = Feature(
    name="passkey toy", adds=(FACTORS.filled_by(lambda services: (ToyPasskey(store=services.store),)),)
)
