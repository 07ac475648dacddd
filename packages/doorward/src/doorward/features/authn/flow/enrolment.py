"""Setting up of a factor: by a signed-in person, or inside a sign-in that asks for a second step (R84, R85)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import ClassVar, Final, Self, final

from msgspec import Struct, structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import FactorKind, SecondFactorPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.flow.backup import Backups, BackupWish
from doorward.features.authn.flow.changes import HeldMethods, guards
from doorward.features.authn.flow.factor import ENROL_PATH
from doorward.features.authn.flow.pages import FlowPages, with_flow
from doorward.features.authn.flow.proving import with_proof
from doorward.features.authn.flow.rules.vouching import of_own_times, to_store
from doorward.features.authn.flow.trust_box import new_device, trust_offer
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.storage.sql.store import Store, Write
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import TrustOffer
from doorward.web.route import Route

METHODS: Final = "/account/methods"
"""The page of sign-in methods; the pages that set one up are below it, and below `ENROL_PATH`."""


class Owner(Struct, frozen=True, kw_only=True):
    """Who sets up a factor: a person who signed in recently, or one who has shown a first factor in a sign-in that needs a second step.

    `binding` is the id of the session or of the sign-in: what a page holds for a later form is bound to it.
    """

    account: Account
    binding: str
    sign_in: SignIn | None = None
    session_id: str | None = None

    @classmethod
    def of(cls, by: SignedIn) -> Self:
        """The person who is signed in."""
        return cls(account=by.account, binding=by.session.id, session_id=by.session.id)


@final
class Enrolling(Struct, frozen=True, kw_only=True):
    """A page or form that sets up a factor. `form` are the fields of the form, or of the query; with `problem` the form was refused and
    is shown again. `rows` are the factors that the owner has: the setup fails if they change meanwhile. `trust`: the box with which the
    device is remembered, where a sign-in allows it."""

    pages: EnrolmentPages
    owner: Owner
    browser: BrowserContext
    form: Mapping[str, str]
    problem: FormProblem | None = None
    signed_in: SignedIn | None = None
    rows: Sequence[EnrolledFactor] = ()
    trust: TrustOffer | None = None

    @property
    def flow(self) -> str | None:
        """The id of the sign-in, for forms and links of its pages."""
        return None if self.owner.sign_in is None else self.owner.sign_in.id

    @property
    def back(self) -> str:
        """The page on which the person chose this factor."""
        return METHODS if self.owner.sign_in is None else ENROL_PATH

    def place(self, path: str) -> str:
        """The address of a page of the factor, for this person."""
        return f"{self.back}/{path}"

    def go(self, path: str) -> Response:
        """The redirect to it."""
        return self.browser.go(with_flow(self.place(path), self.flow))


class NewFactor(Struct, frozen=True, kw_only=True):
    """A factor that was proven and may be stored: its row, the proof that it gives, and the writes that store it. `replaces`: it takes
    the place of those of its kind."""

    row: EnrolledFactor
    proof: Proof
    writes: Sequence[Write]
    replaces: bool = False

    def beside(self, rows: Sequence[EnrolledFactor]) -> list[EnrolledFactor]:
        """The factors of an owner of `rows` once it is stored."""
        return [*(one for one in rows if not (self.replaces and one.kind == self.row.kind)), self.row]


Handler = Callable[[Enrolling], Awaitable[Response]]
MayStandAlone = Callable[[Account, Secret, Caller, int], Awaitable[FormProblem | None]]
"""Why a typed password may not be the only factor: it is wrong, or too short. None: it may. Raises `HashingBusy`."""
ShowMethods = Callable[[SignedIn, FormProblem | None], Awaitable[Response]]
"""The page of sign-in methods, with what was wrong with a form on it. A password that is too short is said at the field for a new one."""


class Enrolment(ABC):
    """Pages that set up one kind of factor. `path` is the last part of their address, `link` the text of a link to them, `help` one
    sentence about the kind.

    A kind that older programs do not know is set up only while `NewFactors` is open, and its writes include `close_behind`. The writes
    also tell the owner by mail, and are audited.
    """

    kind: ClassVar[FactorKind]
    path: ClassVar[str]
    link: ClassVar[str]
    help: ClassVar[str]
    always_known: ClassVar[bool] = False
    """Whether every program that may still run beside this one knows the kind."""

    @abstractmethod
    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The routes of both places, made by `pages.get` and `pages.post`."""


@final
class EnrolmentPages(Struct, frozen=True, kw_only=True):
    """Makes the routes of enrolment pages in both places, and commits what was set up."""

    own: SignedInPages
    pages: BrowserPages
    flow: FlowPages
    store: Store
    random: SecureRandom
    policy: SecondFactorPolicy
    backups: Backups | None
    password_alone: MayStandAlone
    methods: ShowMethods

    def allowed(self, kind: FactorKind) -> bool:
        """Whether people may set up a factor of this kind."""
        return kind in self.policy.allowed

    def get(
        self, kind: FactorKind, path: str, handler: Handler, *, takes: str = "", json: type | None = None
    ) -> list[Route]:
        """A page, or `json` for the script of one."""

        @wraps(handler)
        async def on_account(visit: SignedInVisit) -> Response:
            return await handler(await self._signed_in(kind, visit, visit.query, None))

        @wraps(handler)
        async def in_sign_in(visit: PageVisit) -> Response:
            return await handler(await self._signing_in(kind, visit.browser, visit.query, None))

        return [
            self.own.get(f"{METHODS}/{path}", on_account, recent=True, takes=takes, json=json),
            self.pages.get(f"{ENROL_PATH}/{path}", in_sign_in, takes=f"flow {takes}".strip(), json=json),
        ]

    def post(
        self, kind: FactorKind, path: str, handler: Handler, *, refused: Handler, takes: str = ""
    ) -> list[Route]:
        """A form. `refused` shows it again, and has no effect."""

        @wraps(handler)
        async def on_account(post: SignedInPost) -> Response:
            return await handler(await self._signed_in(kind, post, post.form, None))

        async def again_on_account(post: SignedInRefusedPost) -> Response:
            return await refused(await self._signed_in(kind, post, post.form, post.problem))

        @wraps(handler)
        async def in_sign_in(post: PagePost) -> Response:
            return await handler(await self._signing_in(kind, post.browser, post.form, None))

        async def again_in_sign_in(post: StalePost) -> Response:
            await self.flow.lead_onward(post.browser, post.form.get("flow"))
            return await refused(await self._signing_in(kind, post.browser, post.form, post.problem))

        place = f"{METHODS}/{path}"
        return [
            self.own.post(place, on_account, refused=again_on_account, back=place, recent=True, takes=takes),
            self.pages.post(
                f"{ENROL_PATH}/{path}",
                in_sign_in,
                refused=again_in_sign_in,
                takes=f"flow trust {takes}".strip(),
            ),
        ]

    async def commit(self, enrolling: Enrolling, new: NewFactor, more: Sequence[Write]) -> Enrolling | None:
        """Commit the factor together with its proof, in the sign-in or the session; in a sign-in also the device, if its owner wants it
        remembered. None: a guard lost, or the account, the sign-in or the session changed meanwhile, and nothing was written."""
        proof, writes = new.proof, (*new.writes, *more)
        owner, account, signed_in = enrolling.owner, enrolling.owner.account, enrolling.signed_in
        session_id = None if owner.sign_in is not None else owner.session_id
        first = guards(self.store, HeldMethods(account, enrolling.rows), session_id=session_id)
        met = self.store.factor_demands.met(account.id)
        if owner.sign_in is None:
            if signed_in is None:
                raise TypeError("neither a session nor a sign-in")
            secret = self.random.token()
            renewed = self._stepped_up(signed_in.session, enrolling, proof, secret)
            step_up = self.store.sessions.replace_secret(signed_in.session, renewed)
            if not await self.store.commit(*first, *writes, step_up, met):
                return None
            enrolling.browser.remember_session(secret, renewed.expires_at - enrolling.browser.now)
            return enrolling
        changed = with_proof(owner.sign_in, account.id, proof)
        replaced = self.store.sign_ins.replace(owner.sign_in, changed)
        device = await new_device(self.flow, enrolling.browser, owner.sign_in, enrolling.form)
        kept = () if device is None else await device.writes(account, new.beside(enrolling.rows))
        if not await self.store.commit(*first, *writes, replaced, met, *kept):
            return None
        if device is not None:
            enrolling.browser.remember_trust(device.cookie)
        return Enrolling(
            pages=self,
            owner=Owner(account=account, binding=owner.binding, sign_in=changed),
            browser=enrolling.browser,
            form=enrolling.form,
        )

    def _stepped_up(self, session: Session, enrolling: Enrolling, proof: Proof, secret: str) -> Session:
        """The session of the owner with the proof of the new factor. Without it a session from before the setup, also one of somebody
        who only knows the password, could not be told from the owner's."""
        factors, account = self.flow.factors, enrolling.owner.account
        others = [one for one in of_own_times(session) if one.kind != proof.kind]
        proofs = to_store((*factors.standing(others, account, enrolling.rows), proof))
        achieved = factors.achieved(proofs)
        return structs.replace(
            session,
            secret_hash=digest(secret),
            auth_time=achieved.auth_time,
            acr=achieved.acr,
            amr=achieved.amr,
            seen_at=enrolling.browser.now,
            proofs=proofs,
        )

    async def enrolled(
        self,
        enrolling: Enrolling,
        new: NewFactor,
        said: Said,
        *,
        backup: BackupWish = "first",
    ) -> Response:
        """Commit the factor with its proof, and answer: with a new backup, if one is made now, else with what comes next."""
        account, owner = enrolling.owner.account, enrolling.owner
        made = None
        if self.backups is not None and backup != "none":
            made = await self.backups.along(
                account,
                anew=backup == "anew",
                session_id=owner.session_id,
                caller=enrolling.browser.caller,
                now=enrolling.browser.now,
            )
        done = await self.commit(enrolling, new, made.writes if made is not None else ())
        if done is None:
            return await self.meanwhile(enrolling)
        if made is None:
            return await self.onward(done, said)
        return page(made.shown(said, done.back, done.flow), done.browser)

    async def onward(self, enrolled: Enrolling, said: Said) -> Response:
        """Redirect to the page of sign-in methods, which says what was done, or to the next step of the sign-in."""
        if enrolled.signed_in is not None:
            return self.own.done(enrolled.signed_in, METHODS, said)
        sign_in = enrolled.owner.sign_in
        if sign_in is None:
            raise TypeError("neither a session nor a sign-in")
        return await self.flow.follow(enrolled.browser, sign_in)

    async def meanwhile(self, enrolling: Enrolling) -> Response:
        """Redirect after `commit` has returned None: the stored state decides."""
        if enrolling.flow is None:
            return enrolling.browser.go(METHODS)
        return await self.flow.load_and_follow(enrolling.browser, enrolling.flow)

    async def _signed_in(
        self, kind: FactorKind, by: SignedIn, form: Mapping[str, str], problem: FormProblem | None
    ) -> Enrolling:
        if not self.allowed(kind):
            raise EarlyResponse(by.browser.go(METHODS))
        owner = Owner.of(by)
        rows = await self.store.accounts.factors(by.account.id)
        return Enrolling(
            pages=self, owner=owner, browser=by.browser, form=form, problem=problem, signed_in=by, rows=rows
        )

    async def _signing_in(
        self,
        kind: FactorKind,
        browser: BrowserContext,
        form: Mapping[str, str],
        problem: FormProblem | None,
    ) -> Enrolling:
        """The sign-in of the page, if setting up this kind is its next step; else `EarlyResponse` redirects to that step."""
        browser, sign_in = await self.flow.current(browser, form.get("flow"))
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        asked = await self.flow.sign_in_flow.enrolment(sign_in, session=browser.session, now=browser.now)
        if asked is None or kind not in asked.kinds:
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        owner = Owner(account=asked.account, binding=sign_in.id, sign_in=sign_in)
        return Enrolling(
            pages=self,
            owner=owner,
            browser=browser,
            form=form,
            problem=problem,
            rows=asked.rows,
            trust=await trust_offer(self.flow, sign_in, asked.account, form, browser.now),
        )
