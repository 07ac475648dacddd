"""/account/devices/distrust and /account/devices/name: what people do with their remembered devices (R74)."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.device import describe
from doorward.features.authn.trusted_device.service import TrustedDevices
from doorward.features.authn.trusted_device.views import DeviceNameView
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

DISTRUST: Final = "/account/devices/distrust"
NAME: Final = "/account/devices/name"


@final
class TrustedDevicePages(Struct, frozen=True, kw_only=True):
    """Handlers for the remembered devices of the person who is signed in; the page of devices lists them."""

    own: SignedInPages
    devices: TrustedDevices

    async def distrust(self, post: SignedInPost) -> Response:
        """Ask for the second step on a device again."""
        browser = post.browser
        ended = await self.devices.end(
            post.account,
            post.form.get("device", ""),
            session_id=post.session.id,
            caller=browser.caller,
            now=browser.now,
        )
        return self.own.done(post, DEVICES, Done.DEVICE_ASKED_AGAIN) if ended else browser.go(DEVICES)

    async def name(self, visit: SignedInVisit) -> Response:
        """The page with the name of a device."""
        return await self._name(visit, visit.query.get("device", ""))

    async def name_again(self, post: SignedInRefusedPost) -> Response:
        """The form, with the name that was typed."""
        return await self._name(post, post.form.get("device", ""), post.form.get("name"), post.problem)

    async def rename(self, post: SignedInPost) -> Response:
        """Give a device another name."""
        device, typed = post.form.get("device", ""), post.form.get("name", "")
        outcome = await self.devices.rename(post.account, device, typed, post.browser.now)
        return await renamed(
            self.own, post, outcome, lambda whole, name: self._name(post, device, typed, whole, name)
        )

    async def _name(
        self,
        owner: SignedIn,
        device_id: str,
        typed: str | None = None,
        wrong: FormProblem | None = None,
        name_wrong: FormProblem | None = None,
    ) -> Response:
        found = await self.devices.good(owner.account, owner.browser.now)
        device = next((one for one in found if one.id == device_id), None)
        if device is None:
            return owner.browser.go(DEVICES)
        view = DeviceNameView(
            device=device_id,
            name=(device.name or "") if typed is None else typed[:200],
            label=describe(device.user_agent),
            action=f"{NAME}?device={device.id}",
            back=DEVICES,
            name_problem=name_wrong,
            problem=wrong,
        )
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of the two forms."""
        own = self.own
        return [
            own.pages.lead(DISTRUST, DEVICES),
            own.post(DISTRUST, self.distrust, refused=own.stale, back=DEVICES, takes="device"),
            own.get(NAME, self.name, takes="device"),
            own.post(NAME, self.rename, refused=self.name_again, back=DEVICES, takes="device name"),
        ]
