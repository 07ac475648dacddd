"""A device without a browser, for tests: it asks for codes and polls, and a person's browser answers it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import msgspec

from doorward.core.model.client import Client
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from tests.browsing import Page
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab

SCOPE = "openid orders:read offline_access"
AGENT = "corner-shop-cli/1.0 (Linux)"


def device_app(**changes: Any) -> Client:
    """A command line: a public app for devices alone."""
    values: dict[str, Any] = {
        "id": "app_cli",
        "name": "Corner CLI",
        "grant_types": (GRANT_TYPE, "refresh_token"),
        "redirect_uris": (),
        **changes,
    }
    return made.public(**values)


@dataclass
class Device:
    """One device of an app, at an address of its own."""

    front: Front
    app: Client
    address: str = "198.51.100.7"
    codes: dict[str, Any] = field(default_factory=dict[str, Any])

    async def post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """One request of the app, with its status."""
        proof: dict[str, str] = {}
        if self.app.confidential:
            proof["authorization"] = "Basic " + b64encode(f"{self.app.id}:{made.SECRET}".encode()).decode()
        else:
            form = {**form, "client_id": self.app.id}
        tab = self.front.browser(self.address)
        tab.user_agent = AGENT
        page = await tab.ask("POST", path, form=form, **proof)
        return {"status": page.status, **msgspec.json.decode(page.text)}

    async def begin(self, scope: str = SCOPE, **more: str) -> dict[str, Any]:
        """New codes."""
        self.codes = await self.post("/device_authorization", {"scope": scope, **more})
        return self.codes

    async def poll(self, **more: str) -> dict[str, Any]:
        """One poll."""
        form = {"grant_type": GRANT_TYPE, "device_code": self.codes["device_code"], **more}
        return await self.post("/token", form)

    async def said(self) -> str:
        """The error of one poll; "" for tokens."""
        return str((await self.poll()).get("error", ""))

    @property
    def user_code(self) -> str:
        """The code that the device shows."""
        return str(self.codes["user_code"])


async def device(front: Front, **changes: Any) -> Device:
    """A device with codes, of an app that is registered for it."""
    found = Device(front, await front.register(device_app(**changes)))
    await found.begin()
    return found


async def ask(tab: Tab, code: str) -> Page:
    """Type a code on the page of a signed-in person; what comes of it."""
    page = await tab.follow(await tab.get("/device"))
    return await tab.follow(await tab.submit(page, "device-code", user_code=code))


async def allow(tab: Tab, code: str, decision: str = "allow") -> Page:
    """Type a code, and answer the question."""
    page = await ask(tab, code)
    assert "consent" in page.forms, page.words
    return await tab.follow(await tab.submit(page, "consent", decision=decision))


def state(page: Page) -> str:
    """What the page says has become of a device's request."""
    return page.text.partition('data-state="')[2].partition('"')[0]
