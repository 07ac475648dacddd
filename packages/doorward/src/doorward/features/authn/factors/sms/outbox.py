"""Outbox of text messages: a message is worded, sealed, and committed together with the code that it contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import msgspec

from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.factors.sms.messages import CODE_SENTENCE
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.rules.text import code_message
from doorward.web.pages.words import Words, calm

CODE_KIND: Final = "code"

_encode = msgspec.json.Encoder().encode


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOutbox:
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
