"""/account/methods and /account/confirm: how people sign in, changed only by who proved themselves just now (line 73)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from doorward.core.errors import Refusal
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.secret import Secret
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store
from doorward.features.authn.factors.password.change import Changed, ChangePassword, Moved
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.factors.password.service import ProvePassword
from doorward.features.authn.factors.recovery_codes import rules as recovery_code
from doorward.features.authn.factors.totp.enrol import Codes, SecondFactors, Setup, SetupOver
from doorward.features.authn.flow.page_pipeline import busy, not_ours, weak
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.signed_in_page import OwnAccount, Owner, own_path
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.web.http import Request, Response, Route, redirect, route
from doorward.web.page import page
from doorward.web.pages.views import account as views
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.views.sign_in import ReAuth

METHODS: Final = "/account/methods"
CONFIRM: Final = "/account/confirm"
AUTHENTICATOR: Final = "/account/methods/authenticator"
REMOVE: Final = "/account/methods/authenticator/remove"


@dataclass(frozen=True, slots=True)
class MethodHandlers:
    """Password, authenticator app, recovery codes, and the page that asks for the password again."""

    own: OwnAccount
    store: Store
    chance: Chance
    sessions: SessionPolicy
    prove_password: ProvePassword
    change_password: ChangePassword
    factors: SecondFactors

    async def show(self, request: Request) -> Response:
        """The cards."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        return await self._methods(owner, done=self.own.was_done(owner, params))

    async def change(self, request: Request) -> Response:
        """A new password. Raises `HashingBusy`."""
        came = await self._sensitive(request, METHODS)
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        if not ours:
            return await self._methods(owner, 403, problem=not_ours(owner.visitor))
        current, new = form.get("current", ""), form.get("new", "")
        if not current:
            return await self._methods(owner, 400, current_problem=Problem(Wrong.PASSWORD_MISSING))
        outcome = await self.change_password(
            owner.account,
            owner.session,
            current=Secret(current),
            new=Secret(new),
            devices=owner.visitor.devices,
            caller=owner.visitor.caller,
            now=owner.visitor.now,
        )
        match outcome:
            case Changed(session=session, session_secret=secret):
                owner.visitor.remember_session(secret, session.expires_at - owner.visitor.now)
                return self.own.done(owner, METHODS, Done.PASSWORD_CHANGED)
            case Weak():
                return await self._methods(owner, 400, new_problem=weak(outcome))
            case Refusal(code="too_many_attempts", retry_at=at):
                problem = Problem(Wrong.TOO_MANY_TRIES, at=at)
                return busy(await self._methods(owner, 429, problem=problem), at, owner.visitor.now)
            case Refusal():
                return await self._methods(owner, 400, current_problem=Problem(Wrong.PASSWORD_MISMATCH))
            case Moved():
                return await self._methods(owner, 409, problem=Problem(Wrong.CHANGED_MEANWHILE))

    async def set_up(self, request: Request) -> Response:
        """A QR code. Nothing is set up until the app's code comes back."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, _ = came
        first = self.own.confirm_first(owner, AUTHENTICATOR)
        if first is not None:
            return first
        return self._setup(
            owner, self.factors.begin(owner.account, owner.session, owner.visitor.now), None, 200
        )

    async def confirm_set_up(self, request: Request) -> Response:
        """The app's code; the answer shows the recovery codes, this once."""
        came = await self._sensitive(request, AUTHENTICATOR)
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        visitor, sealed, code = owner.visitor, form.get("setup", ""), form.get("code", "")
        again = self.factors.shown_again(owner.account, owner.session, sealed, visitor.now)
        if again is None:
            return self.own.go(visitor, AUTHENTICATOR)
        if not ours:
            return self._setup(owner, again, not_ours(owner.visitor), 403)
        if not code.strip():
            return self._setup(owner, again, Problem(Wrong.CODE_MISSING), 400)
        outcome = await self.factors.confirm(
            owner.account,
            owner.session,
            sealed=sealed,
            typed=code[:64],
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Codes):
            shown = views.RecoveryCodes(outcome.codes, owner.account.email, done=Done.AUTHENTICATOR_ADDED)
            return page(shown, visitor)
        if isinstance(outcome, SetupOver):
            return self.own.go(visitor, AUTHENTICATOR)
        if isinstance(outcome, Wait):
            problem = Problem(Wrong.TOO_MANY_TRIES, at=outcome.until)
            return busy(self._setup(owner, again, problem, 429), outcome.until, visitor.now)
        return self._setup(owner, again, Problem(Wrong.CODE_WRONG), 400)

    async def remove(self, request: Request) -> Response:
        """First the page that asks for the password, then the removal. Raises `HashingBusy`."""
        came = await self._sensitive(request, METHODS)
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        if not ours:
            return self._ask_password(owner, METHODS, REMOVE, not_ours(owner.visitor), 403)
        if "password" not in form:
            return self._ask_password(owner, METHODS, REMOVE, None, 200)
        if not form["password"]:
            return self._ask_password(owner, METHODS, REMOVE, Problem(Wrong.PASSWORD_MISSING), 400)
        outcome = await self.factors.remove(
            owner.account,
            owner.session,
            password=Secret(form["password"]),
            devices=owner.visitor.devices,
            caller=owner.visitor.caller,
            now=owner.visitor.now,
        )
        if outcome is None:
            return self.own.done(owner, METHODS, Done.AUTHENTICATOR_REMOVED)
        if isinstance(outcome, Weak):
            # Said at the very form that mends it: a longer password first, then the app may go.
            return await self._methods(owner, 400, new_problem=weak(outcome))
        return self._refused(owner, METHODS, REMOVE, outcome)

    async def new_codes(self, request: Request) -> Response:
        """New recovery codes, shown this once."""
        came = await self._sensitive(request, METHODS)
        if isinstance(came, Response):
            return came
        owner, _, ours = came
        if not ours:
            return await self._methods(owner, 403, problem=not_ours(owner.visitor))
        visitor = owner.visitor
        made = await self.factors.new_codes(
            owner.account, owner.session, caller=visitor.caller, now=visitor.now
        )
        if made is None:
            return self.own.go(visitor, METHODS)
        if isinstance(made, Wait):
            problem = Problem(Wrong.TOO_MANY_TRIES, at=made.until)
            return busy(await self._methods(owner, 429, problem=problem), made.until, visitor.now)
        return page(views.RecoveryCodes(made.codes, owner.account.email), visitor)

    async def confirm(self, request: Request) -> Response:
        """Ask for the password again."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        return self._ask_password(owner, own_path(params.get("return_to", "")), CONFIRM, None, 200)

    async def confirmed(self, request: Request) -> Response:
        """The password again, then whatever else this person's sign-in asks for: the same journey as at the front door, so that
        confirming asks no less than signing in (line 85). Raises `HashingBusy`."""
        came = await self.own.act(request, "/account")
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        visitor, back = owner.visitor, own_path(form.get("return_to", ""))
        if not ours:
            return self._ask_password(owner, back, CONFIRM, not_ours(owner.visitor), 403)
        if not form.get("password"):
            return self._ask_password(owner, back, CONFIRM, Problem(Wrong.PASSWORD_MISSING), 400)
        # The session vouches for nothing here: all is shown anew.
        sign_in = begin.sign_in(
            sign_in_id=self.chance.new_id("sin"),
            now=visitor.now,
            ttl=self.sessions.sign_in_ttl,
            browser_hash=visitor.browser_hash,
            request=None,
            return_to=back,
            session=None,
        )
        await self.store.commit(self.store.sign_ins.insert(sign_in))
        outcome = await self.prove_password(
            sign_in,
            identifier=owner.account.email,
            password=Secret(form["password"]),
            address=visitor.address,
            user_agent=visitor.user_agent,
            devices=visitor.devices,
            now=visitor.now,
            request_id=request.request_id,
        )
        if isinstance(outcome, Refusal):
            return self._refused(owner, back, CONFIRM, outcome)
        return await self.own.arrival.steps.follow(visitor, outcome)

    async def well_known(self, request: Request) -> Response:
        """/.well-known/change-password (a well-known URL for changing passwords, W3C): where password managers look."""
        del request
        return redirect(self.own.arrival.steps.link(METHODS))

    async def _sensitive(self, request: Request, back: str) -> tuple[Owner, dict[str, str], bool] | Response:
        came = await self.own.act(request, back)
        if isinstance(came, Response):
            return came
        return self.own.confirm_first(came[0], back) or came

    async def _methods(
        self,
        owner: Owner,
        status: int = 200,
        *,
        done: Done | None = None,
        problem: Problem | None = None,
        current_problem: Problem | None = None,
        new_problem: Problem | None = None,
    ) -> Response:
        factors = await self.store.accounts.factors(owner.account.id)
        app = next((factor for factor in factors if factor.kind == "totp"), None)
        view = views.Methods(
            account=owner.account.email,
            minimum=self.change_password.judge.minimum(second_factor=app is not None),
            password_changed_at=owner.account.password_changed_at,
            authenticator_added_at=app.created_at if app else None,
            recovery_codes_left=recovery_code.left(factors),
            done=done,
            problem=problem,
            current_problem=current_problem,
            new_problem=new_problem,
        )
        return page(view, owner.visitor, status)

    def _setup(self, owner: Owner, setup: Setup, problem: Problem | None, status: int) -> Response:
        view = views.TotpSetup(uri=setup.uri, key=setup.key, setup=setup.sealed, problem=problem)
        return page(view, owner.visitor, status)

    def _refused(self, owner: Owner, back: str, action: str, refusal: Refusal) -> Response:
        if refusal.code == "too_many_attempts":
            problem = Problem(Wrong.TOO_MANY_TRIES, at=refusal.retry_at)
            shown = self._ask_password(owner, back, action, problem, 429)
            return busy(shown, refusal.retry_at, owner.visitor.now)
        return self._ask_password(owner, back, action, Problem(Wrong.PASSWORD_MISMATCH), 400)

    def _ask_password(
        self, owner: Owner, back: str, action: str, problem: Problem | None, status: int
    ) -> Response:
        if action == CONFIRM:
            # a reload by GET still knows where the person wants to go
            action = f"{CONFIRM}?return_to={quote(back)}"
        view = ReAuth(account=owner.account.email, return_to=back, action=action, problem=problem)
        return page(view, owner.visitor, status)


def routes(
    *, own: OwnAccount, store: Store, change_password: ChangePassword, factors: SecondFactors
) -> list[Route]:
    """The methods page, what is done on it, and the page that asks again. Called by `account.routes`."""
    prove_password = ProvePassword(store, change_password.check)
    chance, sessions = own.arrival.steps.chance, own.policy
    on = MethodHandlers(own, store, chance, sessions, prove_password, change_password, factors)
    return [
        route("/account/methods", "GET", on.show, page=True),
        route("/account/methods/password", "GET", own.shown_at(METHODS), page=True),
        route("/account/methods/password", "POST", on.change, page=True),
        route("/account/methods/authenticator", "GET", on.set_up, page=True),
        route("/account/methods/authenticator", "POST", on.confirm_set_up, page=True),
        route("/account/methods/authenticator/remove", "GET", own.shown_at(METHODS), page=True),
        route("/account/methods/authenticator/remove", "POST", on.remove, page=True),
        route("/account/methods/recovery", "GET", own.shown_at(METHODS), page=True),
        route("/account/methods/recovery", "POST", on.new_codes, page=True),
        route("/account/confirm", "GET", on.confirm, page=True),
        route("/account/confirm", "POST", on.confirmed, page=True),
        route("/.well-known/change-password", "GET", on.well_known, page=True),
    ]
