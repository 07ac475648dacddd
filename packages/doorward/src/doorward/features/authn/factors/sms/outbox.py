"""Outbox of text messages: a message is worded, sealed, and committed together with the code that it contains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.factors.sms.messages import CODE_SENTENCE
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.rules.text import code_message
from doorward.features.slots import Kept, KeptMessage
from doorward.storage.sql.store import Store
from doorward.web.pages.words import Words, calm

CODE_KIND: Final = "code"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Sms).decode


@final
class SmsOutbox(Struct, frozen=True, kw_only=True):
    """Writes messages for the worker that sends them. `host` is that of the issuer, to which browsers bind the code."""

    random: SecureRandom
    sealer: Sealer
    brand: str
    host: str

    def write(
        self,
        phone: Phone,
        code: str,
        *,
        code_id: str,
        account_id: str,
        locale: str,
        now: int,
        expires_at: int,
    ) -> OutgoingSms:
        """A row for the outbox, due at once."""
        words = Words(locale)
        text = code_message(
            lambda brand: words.text(CODE_SENTENCE, code=code, brand=brand),
            brand=calm(self.brand),
            host=self.host,
            code=code,
        )
        message_id = self.random.new_id("sms")
        content = Sms(to=phone.e164, text=text, expires_at=expires_at, code=code)
        return OutgoingSms(
            id=message_id,
            kind=CODE_KIND,
            account_id=account_id,
            code_id=code_id,
            country=phone.country,
            sealed=self.sealer.seal(SMS_PURPOSE, message_id, _encode(content)),
            created_at=now,
            next_try_at=now,
        )


def kept_messages(store: Store, sealer: Sealer) -> Kept:
    """The messages of the outbox, newest first, for the page of sent messages in development. One sealed under another secret key (an
    old database beside a new key file) is left out."""

    async def recent(most: int) -> Sequence[KeptMessage]:
        found: list[KeptMessage] = []
        for row in await store.outgoing_sms.recent(most):
            try:
                sms = _decode(sealer.open(SMS_PURPOSE, row.id, row.sealed))
            except ValueError:
                continue
            found.append(KeptMessage(sms.to, None, sms.text, row.created_at, sms.code))
        return found

    return recent
