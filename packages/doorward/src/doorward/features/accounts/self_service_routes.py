"""/account, /account/devices, /account/apps, /account/activity: what people see and end themselves (line 74)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from doorward.core.login_name import MAX_NAME
from doorward.core.model.audit import AuditEvent
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.device import describe
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.session import Session
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.store import Store
from doorward.features.accounts.self_service import SHOWN, AccountPages, ConnectedApp
from doorward.features.authn.factors.password.change import ChangePassword
from doorward.features.authn.factors.totp import routes as methods
from doorward.features.authn.factors.totp.enrol import SecondFactors
from doorward.features.authn.flow.page_pipeline import Arrival, busy, not_ours
from doorward.features.authn.flow.signed_in_page import OwnAccount, Owner
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.web.http import Request, Response, Route, route
from doorward.web.page import page
from doorward.web.pages import language
from doorward.web.pages.views import account as views
from doorward.web.pages.views.account import Done, Happened
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Problem, Wrong

ACTIVE_NOW: Final = 300
"""Seconds since it was last seen within which a device counts as active."""

_EVENT: Final = re.compile(r"aud_[0-9a-f]{32}")
_HAPPENED: Final = {
    "account.created": Happened.ACCOUNT_CREATED,
    "sign_up.completed": Happened.EMAIL_VERIFIED,
    "sign_in.succeeded": Happened.SIGNED_IN,
    "sign_in.failed": Happened.SIGN_IN_FAILED,
    "session.ended": Happened.SESSION_ENDED,
    "sessions.ended": Happened.OTHER_SESSIONS_ENDED,
    "password.changed": Happened.PASSWORD_CHANGED,
    "password.reset": Happened.PASSWORD_RESET,
    "password.reset_asked": Happened.RESET_ASKED,
    "second_factor.added": Happened.AUTHENTICATOR_ADDED,
    "second_factor.removed": Happened.AUTHENTICATOR_REMOVED,
    "second_factor.failed": Happened.SIGN_IN_FAILED,
    "second_factor.reset": Happened.AUTHENTICATOR_RESET,
    "recovery_codes.made": Happened.RECOVERY_CODES_MADE,
    "recovery_codes.used": Happened.RECOVERY_CODE_USED,
    "consent.granted": Happened.APP_CONNECTED,
    "consent.removed": Happened.APP_DISCONNECTED,
    "refresh_token.repeated_late": Happened.TOKEN_REPEATED_LATE,
    "refresh_token.replayed": Happened.TOKEN_REPLAYED,
    "account.profile_changed": Happened.PROFILE_CHANGED,
    "account.activity_reported": Happened.REPORTED,
}
_ENDED_BY: Final = {
    "signed_out": Happened.SIGNED_OUT,
    "signed_out_by_app": Happened.SIGNED_OUT_BY_APP,
}
_REPORTABLE: Final = frozenset(
    {
        Happened.SIGNED_IN,
        Happened.PASSWORD_CHANGED,
        Happened.PASSWORD_SET,
        Happened.PASSWORD_RESET,
        Happened.AUTHENTICATOR_ADDED,
        Happened.AUTHENTICATOR_REMOVED,
        Happened.AUTHENTICATOR_RESET,
        Happened.RECOVERY_CODES_MADE,
        Happened.RECOVERY_CODE_USED,
        Happened.APP_CONNECTED,
        Happened.TOKEN_REPEATED_LATE,
        Happened.TOKEN_REPLAYED,
    }
)


@dataclass(frozen=True, slots=True)
class AccountHandlers:
    """Looks and acts, always for the person of the live session."""

    own: OwnAccount
    pages: AccountPages
    catalog: CatalogSource
    tokens: TokenPolicy

    async def profile(self, request: Request) -> Response:
        """Name and language."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        account = owner.account
        view = views.Profile(
            email=account.email,
            email_verified=True,
            name=account.name or "",
            locale=account.locale or "",
            done=self.own.was_done(owner, params),
        )
        return page(view, owner.visitor)

    async def save_profile(self, request: Request) -> Response:
        """Name and language, changed."""
        came = await self.own.act(request, "/account")
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        name, locale = form.get("name", ""), form.get("locale", "")
        if not ours:
            return self._profile_again(owner, name, locale, 403, problem=not_ours(owner.visitor))
        if locale and locale not in language.LOCALES:
            return self._profile_again(owner, name, "", 400, problem=Problem(Wrong.LOCALE_UNKNOWN))
        saved = await self.pages.save_profile(
            owner.account,
            name=name,
            locale=locale or None,
            caller=owner.visitor.caller,
            now=owner.visitor.now,
        )
        if isinstance(saved, Wait):
            problem = Problem(Wrong.TOO_MANY_TRIES, at=saved.until)
            again = self._profile_again(owner, name, locale, 429, problem=problem)
            return busy(again, saved.until, owner.visitor.now)
        if saved is None:
            return self._profile_again(
                owner, name, locale, 400, name_problem=Problem(Wrong.NAME_TOO_LONG, number=MAX_NAME)
            )
        return self.own.done(owner, "/account", Done.SAVED)

    async def devices(self, request: Request) -> Response:
        """The live sessions."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        now = owner.visitor.now
        found = await self.pages.devices(owner.account, owner.session, now)
        view = views.Devices(
            devices=tuple(_device(session, owner.session.id, now) for session in found),
            apps_notice=self.tokens.access_ttl,
            more=len(found) == SHOWN,
            done=self.own.was_done(owner, params),
        )
        return page(view, owner.visitor)

    async def end_device(self, request: Request) -> Response:
        """Sign one device out; this one too, if they say so."""
        came = await self.own.act(request, "/account/devices")
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        if not ours:
            return self.own.stale(owner)
        chosen = form.get("session", "")
        visitor = owner.visitor
        await self.pages.end_device(owner.account, chosen, caller=visitor.caller, now=visitor.now)
        if chosen == owner.session.id:
            visitor.forget_session()
            return self.own.go(visitor, "/signed-out")
        return self.own.done(owner, "/account/devices", Done.SESSION_ENDED)

    async def end_others(self, request: Request) -> Response:
        """Sign out everywhere else."""
        came = await self.own.act(request, "/account/devices")
        if isinstance(came, Response):
            return came
        owner, _, ours = came
        if not ours:
            return self.own.stale(owner)
        visitor = owner.visitor
        await self.pages.end_others(owner.account, owner.session, caller=visitor.caller, now=visitor.now)
        return self.own.done(owner, "/account/devices", Done.OTHER_SESSIONS_ENDED)

    async def apps(self, request: Request) -> Response:
        """Who may act for them."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        catalog = self.catalog.current()
        connected = await self.pages.apps(owner.account, owner.visitor.now)
        lines = tuple(_app(app, catalog) for app in connected)
        return page(views.Apps(lines, done=self.own.was_done(owner, params)), owner.visitor)

    async def disconnect(self, request: Request) -> Response:
        """End what one app may do."""
        came = await self.own.act(request, "/account/apps")
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        if not ours:
            return self.own.stale(owner)
        visitor = owner.visitor
        await self.pages.disconnect(
            owner.account, form.get("app", ""), caller=visitor.caller, now=visitor.now
        )
        return self.own.done(owner, "/account/apps", Done.APP_DISCONNECTED)

    async def activity(self, request: Request) -> Response:
        """What happened in the last 90 days, a page at a time."""
        came = await self.own.look(request)
        if isinstance(came, Response):
            return came
        owner, params = came
        before = params.get("before", "")
        events, older = await self.pages.activity(
            owner.account,
            tuple(_HAPPENED),
            owner.visitor.now,
            before=before if _EVENT.fullmatch(before) else None,
        )
        catalog = self.catalog.current()
        view = views.Activity(
            tuple(_line(event, catalog) for event in events),
            older=f"/account/activity?before={older}" if older else None,
            done=self.own.was_done(owner, params),
        )
        return page(view, owner.visitor)

    async def report(self, request: Request) -> Response:
        """ "This wasn't me": everything else ends, and what to change comes next."""
        came = await self.own.act(request, "/account/activity")
        if isinstance(came, Response):
            return came
        owner, form, ours = came
        if not ours:
            return self.own.stale(owner)
        visitor = owner.visitor
        reported = await self.pages.report(
            owner.account,
            owner.session,
            form.get("event", ""),
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if not reported:
            return self.own.go(visitor, "/account/activity")
        return self.own.done(owner, "/account/methods", Done.REPORTED)

    def _profile_again(
        self,
        owner: Owner,
        name: str,
        locale: str,
        status: int,
        *,
        problem: Problem | None = None,
        name_problem: Problem | None = None,
    ) -> Response:
        view = views.Profile(
            email=owner.account.email,
            email_verified=True,
            name=name[:500],
            locale=locale,
            problem=problem,
            name_problem=name_problem,
        )
        return page(view, owner.visitor, status)


def _device(session: Session, current: str, now: int) -> views.DeviceLine:
    known = describe(session.user_agent)
    return views.DeviceLine(
        id=session.id,
        label=known,
        address=None if known else session.address or None,
        last_seen=session.seen_at,
        signed_in_at=session.auth_time,
        current=session.id == current,
        active_now=now - session.seen_at < ACTIVE_NOW,
    )


def _app(app: ConnectedApp, catalog: Catalog) -> views.AppLine:
    target = urlsplit(app.client.redirect_uris[0]) if app.client.redirect_uris else None
    host = "" if target is None else target.netloc or f"{target.scheme}:"
    lines: dict[str, ScopeLine] = {}
    for audience, scope in app.scopes:
        api = catalog.apis.get(audience)
        found = next((p for p in api.permissions if p.name == scope), None) if api else None
        api_name = api.name if api is not None and found is not None else None
        lines.setdefault(scope, ScopeLine(scope, (found.description or None) if found else None, api_name))
    return views.AppLine(app.client.id, app.client.name, host, tuple(lines.values()), app.connected_at)


def _line(event: AuditEvent, catalog: Catalog) -> views.ActivityLine:
    kind = _HAPPENED[event.kind]
    if kind is Happened.PASSWORD_CHANGED and event.detail.get("by") == "operator":
        kind = Happened.PASSWORD_SET
    if kind is Happened.SESSION_ENDED:
        kind = _ENDED_BY.get(str(event.detail.get("reason")), kind)
    client = catalog.clients.get(event.client_id) if event.client_id else None
    return views.ActivityLine(
        id=event.id,
        kind=kind,
        at=event.at,
        device=describe(event.user_agent or ""),
        app=client.name if client else None,
        reportable=kind in _REPORTABLE,
    )


def routes(
    *,
    arrival: Arrival,
    store: Store,
    pages: AccountPages,
    change: ChangePassword,
    factors: SecondFactors,
) -> list[Route]:
    """Every page below /account, and the well-known address that leads there."""
    own = OwnAccount(arrival, arrival.visitors.policy)
    on = AccountHandlers(own, pages, arrival.catalog, arrival.steps.advance.tokens)
    return [
        route("/account", "GET", on.profile, page=True),
        route("/account", "POST", on.save_profile, page=True),
        route("/account/devices", "GET", on.devices, page=True),
        route("/account/devices/end", "GET", own.shown_at("/account/devices"), page=True),
        route("/account/devices/end", "POST", on.end_device, page=True),
        route("/account/devices/end-others", "GET", own.shown_at("/account/devices"), page=True),
        route("/account/devices/end-others", "POST", on.end_others, page=True),
        route("/account/apps", "GET", on.apps, page=True),
        route("/account/apps/disconnect", "GET", own.shown_at("/account/apps"), page=True),
        route("/account/apps/disconnect", "POST", on.disconnect, page=True),
        route("/account/activity", "GET", on.activity, page=True),
        route("/account/activity/report", "GET", own.shown_at("/account/activity"), page=True),
        route("/account/activity/report", "POST", on.report, page=True),
        *methods.routes(own=own, store=store, change_password=change, factors=factors),
    ]
