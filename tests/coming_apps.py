"""Apps that no operator registered, in tests: an open API, and the way to the consent page."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import OpenTo, Role
from tests.browsing import Page
from tests.document_host import CALLBACK, DocumentHost
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab

PATH = "/tools/app.json"


async def opened(front: Front, to: OpenTo = "documents") -> None:
    """The orders API is open, and Ada may read there."""
    api = front.services.config.current().apis[made.API]
    await front.store.commit(
        front.store.registry.put_api(structs.replace(api, open_to=to, open_permissions=("orders:read",))),
        front.store.registry.put_role(
            Role("rol_reader", "reader", {made.API: ("orders:read",)}, made.NOW, key="rol_reader")
        ),
    )
    await front.services.config.refresh()


def app(host: DocumentHost, path: str = PATH, **changes: Any) -> Client:
    """What a test knows of the app."""
    values: dict[str, Any] = {
        "id": host.url(path),
        "auth_method": "none",
        "redirect_uris": (CALLBACK,),
        "secrets": (),
    }
    return made.client(**{**values, **changes})


async def at_consent(front: Front, client: Client, tab: Tab, **params: str | None) -> Page:
    """The consent page, after a sign-in."""
    page = await tab.get(front.asking(client, **params))
    if "sign-in" in (await tab.follow(page)).forms:
        page = await tab.sign_in_at(page)
    return await tab.on(page)
