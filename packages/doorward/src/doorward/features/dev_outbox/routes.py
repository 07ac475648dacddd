"""/_dev/outbox: the messages that would have been sent, for trying out the server on one's own machine. In development only."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.web_origin import loopback
from doorward.features.sessions.browser_context import BrowserPages, PageVisit
from doorward.features.slots import Kept
from doorward.web.http import Request, Response, json_response
from doorward.web.page import page
from doorward.web.pages.views.ends import Outbox, OutboxMessage
from doorward.web.route import Route

SHOWN: Final = 50


class OutboxPage(Struct, frozen=True, kw_only=True):
    """The last messages, newest first."""

    recent: Kept
    issuer: str

    async def show(self, visit: PageVisit) -> Response:
        """The last 50 messages, opened, for who asks this machine by one of its own names.

        Any other Host is refused: a malicious site may let its own name resolve to 127.0.0.1, and its scripts could read the codes
        (DNS rebinding).
        """
        if not self._by_our_name(visit.browser.request):
            return json_response(
                {"error": "not_found", "error_description": "There is nothing here under this name."}, 404
            )
        messages = tuple(
            OutboxMessage(to=one.to, subject=one.subject, text=one.text, at=one.at, code=one.code)
            for one in await self.recent(SHOWN)
        )
        return page(Outbox(messages), visit.browser)

    def _by_our_name(self, request: Request) -> bool:
        given = request.header(b"host") or ""
        try:
            host = urlsplit(f"//{given}").hostname
        except ValueError:
            return False
        return host is not None and (host == urlsplit(self.issuer).hostname or loopback(host))


def routes(*, development: bool, pages: BrowserPages, recent: Kept, issuer: str) -> list[Route]:
    """One route in development; otherwise none, so that the path is an ordinary 404."""
    if not development:
        return []
    return [pages.get("/_dev/outbox", OutboxPage(recent=recent, issuer=issuer).show)]
