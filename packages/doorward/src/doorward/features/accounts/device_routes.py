"""/account/devices/device and /account/devices/end-device: one device, its name, and its end (R74)."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.device import describe
from doorward.features.accounts.devices import OwnDevices
from doorward.features.accounts.views import DeviceView, ways
from doorward.features.sessions.device_names import DEVICES, renamed
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.problems import FormProblem
from doorward.web.route import Route

DEVICE: Final = "/account/devices/device"
END: Final = "/account/devices/end-device"


@final
class DeviceHandlers(Struct, frozen=True, kw_only=True):
    """Handlers for one device of the person who is signed in."""

    own: SignedInPages
    devices: OwnDevices

    async def show(self, visit: SignedInVisit) -> Response:
        """What is known of a device."""
        return await self._page(visit, visit.query.get("session", ""))

    async def again(self, post: SignedInRefusedPost) -> Response:
        """The same, with the name that was typed."""
        return await self._page(post, post.form.get("session", ""), post.form.get("name"), post.problem)

    async def rename(self, post: SignedInPost) -> Response:
        """Give it a name."""
        session, typed = post.form.get("session", ""), post.form.get("name", "")
        outcome = await self.devices.rename(post.account, session, typed, post.browser.now)
        return await renamed(
            self.own, post, outcome, lambda whole, name: self._page(post, session, typed, whole, name)
        )

    async def end(self, post: SignedInPost) -> Response:
        """End everything on it; this browser too, if they say so."""
        chosen, browser = post.form.get("session", ""), post.browser
        ended = await self.devices.end(post.account, chosen, caller=browser.caller, now=browser.now)
        if chosen == post.session.id:
            browser.forget_session()
            return browser.go("/signed-out")
        return self.own.done(post, DEVICES, Done.DEVICE_ENDED) if ended else browser.go(DEVICES)

    async def _page(
        self,
        owner: SignedIn,
        session_id: str,
        typed: str | None = None,
        problem: FormProblem | None = None,
        name_problem: FormProblem | None = None,
    ) -> Response:
        found = await self.devices.get(owner.account, session_id, owner.browser.now)
        if found is None:
            return owner.browser.go(DEVICES)
        session = found.session
        view = DeviceView(
            session=session.id,
            name=(session.name or "") if typed is None else typed[:200],
            label=describe(session.user_agent),
            place=None if found.place is None else found.place.words,
            address=session.address,
            first_used=session.created_at,
            last_used=session.seen_at,
            signed_in_at=session.auth_time,
            apps=await self.devices.app_names(found.apps),
            ways=ways(session.amr),
            action=f"{DEVICE}?session={session.id}",
            current=session.id == owner.session.id,
            problem=problem,
            name_problem=name_problem,
        )
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of the page and its two forms."""
        own = self.own
        return [
            own.get(DEVICE, self.show, takes="session"),
            own.post(DEVICE, self.rename, refused=self.again, back=DEVICES, takes="session name"),
            own.pages.lead(END, DEVICES),
            own.post(END, self.end, refused=own.stale, back=DEVICES, takes="session"),
        ]
