"""Outbox of a development server: the mails that would have been sent, decrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import msgspec

from doorward.core.model.message import LETTER_PURPOSE, Letter, Outgoing
from doorward.core.ports.keys import Sealer
from doorward.storage.sql.store import Store

_decode = msgspec.json.Decoder(Letter).decode


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DevOutbox:
    """Reads the mail queue, newest first."""

    store: Store
    sealer: Sealer

    async def recent(self, most: int) -> list[tuple[Outgoing, Letter]]:
        """The last `most` mails. A mail sealed under another secret key (an old database beside a new key file) is left out."""
        found: list[tuple[Outgoing, Letter]] = []
        for mail in await self.store.messages.recent_mail(most):
            try:
                found.append((mail, _decode(self.sealer.open(LETTER_PURPOSE, mail.id, mail.sealed))))
            except ValueError:
                continue
        return found
