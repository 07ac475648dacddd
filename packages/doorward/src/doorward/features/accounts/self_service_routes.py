"""/account, /account/devices, /account/apps, /account/activity: data that people see and end themselves (R74)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from doorward.core.login_name import MAX_NAME
from doorward.core.model.audit import AuditEvent
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.device import describe
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.remembered_device import RememberedDevice
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.accounts.activity import ActivityKinds
from doorward.features.accounts.devices import OwnDevices
from doorward.features.accounts.self_service import SHOWN, AccountPages, ConnectedApp
from doorward.features.api_keys.own import OwnApiKeys
from doorward.features.authn.flow.shown import ProfileOffers
from doorward.features.oauth.clients.rules.private_schemes import place
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.details import SessionDetails
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.features.slots import ActivityKind
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages import language
from doorward.web.pages.views import account as views
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said
from doorward.web.route import Route

ACTIVE_NOW: Final = 300
"""Seconds since last seen within which a device counts as active."""

_EVENT: Final = re.compile(r"aud_[0-9a-f]{32}")


class AccountHandlers(Struct, frozen=True, kw_only=True):
    """Handlers of the account pages, always for the person of the live session."""

    own: SignedInPages
    pages: AccountPages
    config: ConfigSource
    tokens: TokenPolicy
    activity_kinds: ActivityKinds
    keys: OwnApiKeys
    own_devices: OwnDevices
    offers: Sequence[ProfileOffers] = ()

    async def profile(self, visit: SignedInVisit) -> Response:
        """The profile: name and language. It is where a sign-in ends that no app began."""
        account, browser = visit.account, visit.browser
        offers: list[Fragment] = []
        if self.offers and await self.own.recent(browser):
            found = [
                await one.offer(account, visit.session, browser_hash=browser.browser_hash, now=browser.now)
                for one in self.offers
            ]
            offers = [offer for offer in found if offer is not None]
        name, locale = account.name or "", account.locale or ""
        return _profile(visit, name, locale, done=self.own.was_done(visit), offers=offers)

    async def profile_again(self, post: SignedInRefusedPost) -> Response:
        """Name and language as they were typed."""
        name, locale = post.form.get("name", ""), post.form.get("locale", "")
        return _profile(post, name, locale, problem=post.problem)

    async def save_profile(self, post: SignedInPost) -> Response:
        """Change name and language."""
        name, locale = post.form.get("name", ""), post.form.get("locale", "")
        if locale and locale not in language.LOCALES:
            return _profile(post, name, "", problem=FormProblem(Wrong.LOCALE_UNKNOWN))
        saved = await self.pages.save_profile(
            post.account,
            name=name,
            locale=locale or None,
            caller=post.browser.caller,
            now=post.browser.now,
        )
        if isinstance(saved, Wait):
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=saved.until)
            return _profile(post, name, locale, problem=problem)
        if saved is None:
            too_long = FormProblem(Wrong.NAME_TOO_LONG, number=MAX_NAME)
            return _profile(post, name, locale, name_problem=too_long)
        return self.own.done(post, "/account", Done.SAVED)

    async def devices(self, visit: SignedInVisit) -> Response:
        """The devices: the live sessions."""
        now = visit.browser.now
        live = await self.pages.devices(visit.account, visit.session, now)
        found = await self.own_devices.details(visit.account, live, now)
        remembered = await self.pages.trusted.good(visit.account, now)
        here = await self.pages.trusted.here(visit.account, visit.browser.caller, now)
        view = views.Devices(
            devices=tuple(_device(one, visit.session.id, now) for one in found),
            apps_notice=self.tokens.access_ttl,
            more=len(found) == SHOWN,
            remembered=tuple(_remembered(device, here) for device in remembered),
            done=self.own.was_done(visit),
        )
        return page(view, visit.browser)

    async def end_device(self, post: SignedInPost) -> Response:
        """Sign one device out; this one too, if they say so."""
        chosen, browser = post.form.get("session", ""), post.browser
        await self.pages.end_device(post.account, chosen, caller=browser.caller, now=browser.now)
        if chosen == post.session.id:
            browser.forget_session()
            return browser.go("/signed-out")
        return self.own.done(post, "/account/devices", Done.SESSION_ENDED)

    async def end_others(self, post: SignedInPost) -> Response:
        """Sign out everywhere else."""
        browser = post.browser
        await self.pages.end_others(post.account, post.session, caller=browser.caller, now=browser.now)
        return self.own.done(post, "/account/devices", Done.OTHER_SESSIONS_ENDED)

    async def apps(self, visit: SignedInVisit) -> Response:
        """The connected apps, which may act for the person."""
        config = self.config.current()
        connected = await self.pages.apps(visit.account, visit.browser.now)
        lines = tuple(_app(app, config) for app in connected)
        view = views.Apps(
            lines, done=self.own.was_done(visit), api_keys=await self.keys.concern(visit.account)
        )
        return page(view, visit.browser)

    async def disconnect(self, post: SignedInPost) -> Response:
        """Disconnect an app: end what it may do."""
        await self.pages.disconnect(
            post.account, post.form.get("app", ""), caller=post.browser.caller, now=post.browser.now
        )
        return self.own.done(post, "/account/apps", Done.APP_DISCONNECTED)

    async def activity(self, visit: SignedInVisit) -> Response:
        """What happened in the last 90 days, a page at a time."""
        before = visit.query.get("before", "")
        events, older = await self.pages.activity(
            visit.account,
            self.activity_kinds.events,
            visit.browser.now,
            before=before if _EVENT.fullmatch(before) else None,
        )
        view = views.Activity(
            tuple([await self._line(event, self.activity_kinds.of(event)) for event in events]),
            older=f"/account/activity?before={older}" if older else None,
            done=self.own.was_done(visit),
        )
        return page(view, visit.browser)

    async def _line(self, event: AuditEvent, kind: ActivityKind) -> views.ActivityLine:
        app = await self.pages.clients.name(event.client_id)
        return views.ActivityLine(
            id=event.id,
            text=kind.text if app is None else kind.with_app or kind.text,
            at=event.at,
            device=describe(event.user_agent or ""),
            app=app,
            reportable=kind.reportable,
            why=kind.explained(event.detail) if kind.explained is not None else (),
        )

    async def report(self, post: SignedInPost) -> Response:
        """Report that an event was somebody else: everything else ends, and what to change comes next."""
        browser = post.browser
        reported = await self.pages.report(
            post.account,
            post.session,
            post.form.get("event", ""),
            caller=browser.caller,
            now=browser.now,
        )
        if not reported:
            return browser.go("/account/activity")
        return self.own.done(post, "/account/review", Done.REPORTED)

    def routes(self) -> list[Route]:
        """Routes below /account, except those of the sign-in methods."""
        devices, apps, activity = "/account/devices", "/account/apps", "/account/activity"
        own = self.own
        return [
            own.get("/account", self.profile),
            own.post(
                "/account",
                self.save_profile,
                refused=self.profile_again,
                back="/account",
                takes="name locale",
            ),
            own.get(devices, self.devices),
            own.pages.lead("/account/devices/end", devices),
            own.post(
                "/account/devices/end", self.end_device, refused=own.stale, back=devices, takes="session"
            ),
            own.pages.lead("/account/devices/end-others", devices),
            own.post("/account/devices/end-others", self.end_others, refused=own.stale, back=devices),
            own.get(apps, self.apps),
            own.pages.lead("/account/apps/disconnect", apps),
            own.post("/account/apps/disconnect", self.disconnect, refused=own.stale, back=apps, takes="app"),
            own.get(activity, self.activity, takes="before"),
            own.pages.lead("/account/activity/report", activity),
            own.post(
                "/account/activity/report", self.report, refused=own.stale, back=activity, takes="event"
            ),
        ]


def _profile(
    owner: SignedIn,
    name: str,
    locale: str,
    *,
    done: Said | None = None,
    offers: Sequence[Fragment] = (),
    **problems: FormProblem | None,
) -> Response:
    view = views.Profile(
        email=owner.account.email,
        name=name[:500],
        locale=locale,
        done=done,
        offers=tuple(offers),
        **problems,
    )
    return page(view, owner.browser)


def _device(found: SessionDetails, current: str, now: int) -> views.DeviceLine:
    session = found.session
    known = describe(session.user_agent)
    return views.DeviceLine(
        id=session.id,
        label=known,
        address=None if known else session.address or None,
        last_seen=session.seen_at,
        signed_in_at=session.auth_time,
        current=session.id == current,
        active_now=now - session.seen_at < ACTIVE_NOW,
        name=session.name,
        place=None if found.place is None else found.place.words,
    )


def _remembered(device: RememberedDevice, here: str | None) -> views.RememberedLine:
    known = describe(device.user_agent)
    return views.RememberedLine(
        id=device.id,
        name=device.name,
        label=known,
        address=None if known else device.address or None,
        added_at=device.created_at,
        last_used=device.used_at,
        expires_at=device.expires_at,
        current=device.id == here,
    )


def _app(app: ConnectedApp, config: ConfigSnapshot) -> views.AppLine:
    document = app.client.registered_by == "document"
    first = app.client.id if document else next(iter(app.client.redirect_uris), None)
    host = "" if first is None else place(first)
    lines: dict[str, ScopeLine] = {}
    for audience, scope in app.scopes:
        api = config.apis.get(audience)
        found = next((p for p in api.permissions if p.name == scope), None) if api else None
        api_name = api.name if api is not None and found is not None else None
        lines.setdefault(scope, ScopeLine(scope, (found.description or None) if found else None, api_name))
    return views.AppLine(app.client.id, app.client.name, host, tuple(lines.values()), app.connected_at)
