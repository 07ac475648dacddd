"""The demo MCP server on a port of this machine, and what an operator registers for it.

with running(folder) as server, mcp_site(server) as site:
    site.address                      # what a person types into a client
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.core.model.config_snapshot import OpenTo, Permission
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from doorward_demo.demo.mcp.app import create_app
from tests.flows.browsing import Page, Person
from tests.flows.running import Running
from tests.flows.seeds import PASSWORD
from tests.flows.settings import listening
from tests.waiting import PATIENCE, until

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
"""Ada may read orders, Bob may place them too, Eve has no role."""


@dataclass
class McpSite:
    """The running MCP server. `seen` has every request: method, path with query, headers, status."""

    address: str
    seen: list[tuple[str, str, dict[str, str], int]] = field(default_factory=list)

    def statuses(self, path: str) -> list[int]:
        """What the requests to this path were answered with."""
        return [status for _, where, _, status in self.seen if where.partition("?")[0] == path]


@contextmanager
def mcp_site(server: Running, path: str = "/mcp", *, open_to: OpenTo = "none") -> Generator[McpSite]:
    """The demo MCP server at `path`, registered as an API with two permissions, for three people. `open_to`: the apps that may ask
    for both although no operator registered them."""
    listener = listening()
    site = McpSite(f"http://127.0.0.1:{listener.getsockname()[1]}{path}")
    app = create_app(server.issuer, site.address, ca=server.ca)
    server.operate(lambda services: _register(services, site.address, open_to))
    own = uvicorn.Server(
        uvicorn.Config(
            _watched(app, site), lifespan="on", access_log=False, log_config=None, timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=_serve, args=(own, listener), name="mcp", daemon=True)
    thread.start()
    until(lambda: own.started or not thread.is_alive())
    try:
        yield site
    finally:
        own.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the MCP server does not stop"


def approve(person: Person, url: str, email: str = ADA, *, read: list[str] | None = None) -> Page:
    """A person who opens the client's address: signs in if asked, and allows. Returns the last page, at the client's address.
    `read` gets the words of the consent page."""
    page = person.open(url)
    if "sign-in" in page.forms:
        page = person.sign_in(page, email, PASSWORD)
    if "consent" in page.forms:
        if read is not None:
            read.append(page.words)
        page = person.press(page, "consent", "allow")
    assert page.outside, f"{page.status} {page.url}: {page.words[:600]}"
    return page


async def _register(services: Services, address: str, open_to: OpenTo) -> None:
    actor = os_actor()
    permissions = (Permission("orders:read", "See your orders"), Permission("orders:write", "Place orders"))
    name = f"Orders at {address}"
    await services.get(admin.apis).create(actor, address, name=name, permissions=permissions)
    if open_to != "none":
        opened = tuple(permission.name for permission in permissions)
        await services.get(admin.apis).update(
            actor, address, lambda api: structs.replace(api, open_to=open_to, open_permissions=opened)
        )
    known = {role.name for role in await services.get(admin.roles).find(actor)}
    for role, held in (("reader", "orders:read"), ("writer", "orders:read,orders:write")):
        allowed = f"{address}:{held}"
        if role in known:
            old = await services.get(admin.roles).get(actor, role)
            kept = [f"{api}:{','.join(names)}" for api, names in old.permissions.items()]
            await services.get(admin.roles).update(actor, role, allow=[*kept, allowed])
            continue
        await services.get(admin.roles).create(actor, role, permissions=[allowed])
    if known:
        return
    for email, roles in ((ADA, ["reader"]), (BOB, ["writer"]), (EVE, [])):
        await services.get(admin.people).create(
            actor, email, name=email.partition("@")[0].title(), password=Secret(PASSWORD), roles=roles
        )


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    server.run(sockets=[listener])


def _watched(app: Any, site: McpSite) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
                site.seen.append((scope["method"], scope["path"] + query, headers, message["status"]))
            await send(message)

        await app(scope, receive, note if scope["type"] == "http" else send)

    return outer
