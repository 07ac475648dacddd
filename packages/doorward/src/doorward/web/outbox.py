"""/_dev/outbox: what mail would have been sent, for who tries the server out on their own machine. In development only."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from doorward.model.message import Letter, Outgoing
from doorward.ports.keys import Sealer
from doorward.ports.store import Store
from doorward.web.http import Request, Response, Route, route
from doorward.web.page import page
from doorward.web.pages.views.ends import Outbox, OutboxMessage
from doorward.web.visitor import Visitors

_decode = msgspec.json.Decoder(Letter).decode


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Newest first."""

    visitors: Visitors
    store: Store
    sealer: Sealer

    async def show(self, request: Request) -> Response:
        """The last 50 mails, opened."""
        visitor = await self.visitors.meet(request)
        mails = await self.store.messages.recent_mail(50)
        messages = tuple(shown for mail in mails if (shown := self._open(mail)) is not None)
        return page(Outbox(messages), visitor)

    def _open(self, mail: Outgoing) -> OutboxMessage | None:
        try:
            letter = _decode(self.sealer.open("mail", mail.id, mail.sealed))
        except ValueError:
            return None  # sealed under another secret key: an old database beside a new key file
        return OutboxMessage(
            to=mail.to, subject=letter.subject, text=letter.text, at=mail.created_at, code=letter.code
        )


def routes(*, development: bool, visitors: Visitors, store: Store, sealer: Sealer) -> list[Route]:
    """One route in development; outside it there is nothing at this address, not even a refusal."""
    if not development:
        return []
    return [route("/_dev/outbox", "GET", OutboxPage(visitors, store, sealer).show, page=True)]
