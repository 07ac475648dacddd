"""/_dev/outbox: what mail would have been sent, for who tries the server out on their own machine. In development only."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from doorward.core.model.message import LETTER_PURPOSE, Letter, Outgoing
from doorward.core.ports.keys import Sealer
from doorward.core.ports.store import Store
from doorward.features.sessions.browser_context import Visitors
from doorward.web.http import Request, Response, Route, json_response, route
from doorward.web.page import page
from doorward.web.pages.views.ends import Outbox, OutboxMessage

_decode = msgspec.json.Decoder(Letter).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPage:
    """Newest first."""

    visitors: Visitors
    store: Store
    sealer: Sealer
    issuer: str

    async def show(self, request: Request) -> Response:
        """The last 50 mails, opened, for who asks this machine by one of its own names.

        A foreign site may let its own name point to 127.0.0.1, and its scripts would read the codes (DNS rebinding).
        """
        if not self._by_our_name(request):
            return json_response(
                {"error": "not_found", "error_description": "There is nothing here under this name."}, 404
            )
        visitor = await self.visitors.meet(request)
        mails = await self.store.messages.recent_mail(50)
        messages = tuple(shown for mail in mails if (shown := self._open(mail)) is not None)
        return page(Outbox(messages), visitor)

    def _by_our_name(self, request: Request) -> bool:
        given = request.header(b"host") or ""
        try:
            host = urlsplit(f"//{given}").hostname
        except ValueError:
            return False
        return host is not None and (host == urlsplit(self.issuer).hostname or _loopback(host))

    def _open(self, mail: Outgoing) -> OutboxMessage | None:
        try:
            letter = _decode(self.sealer.open(LETTER_PURPOSE, mail.id, mail.sealed))
        except ValueError:
            return None  # sealed under another secret key: an old database beside a new key file
        return OutboxMessage(
            to=mail.to, subject=letter.subject, text=letter.text, at=mail.created_at, code=letter.code
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def routes(
    *, development: bool, visitors: Visitors, store: Store, sealer: Sealer, issuer: str
) -> list[Route]:
    """One route in development; outside it there is nothing at this address, not even a refusal."""
    if not development:
        return []
    return [
        route(
            "/_dev/outbox",
            "GET",
            OutboxPage(visitors=visitors, store=store, sealer=sealer, issuer=issuer).show,
            page=True,
        )
    ]
