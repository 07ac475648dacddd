"""Outbox of text messages: worded in the person's language, readable by nobody who reads the database."""

from __future__ import annotations

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.random import SystemRandom
from doorward.adapters.sms.delivery import open_sms
from doorward.core.model.text_message import OutgoingSms
from doorward.features.authn.factors.sms.outbox import SmsOutbox
from doorward.features.authn.factors.sms.rules.phone import Phone
from tests.manual_clock import NOW

SEALER = KeyedSealer(b"k" * 32)
PHONE = Phone("+491712345678", "DE", 49)


def written(locale: str = "en", brand: str = "Corner Shop") -> OutgoingSms:
    outbox = SmsOutbox(random=SystemRandom(), sealer=SEALER, brand=brand, host="auth.example.com")
    return outbox.write(
        PHONE, "203794", code_id="cod_1", account_id="usr_1", locale=locale, now=NOW, expires_at=NOW + 600
    )


def test_a_message_contains_the_bound_code() -> None:
    row = written()
    sms = open_sms(SEALER, row)
    assert sms.to == "+491712345678"
    assert sms.text == "203794 is your code for Corner Shop.\n\n@auth.example.com #203794"
    assert (sms.code, sms.expires_at) == ("203794", NOW + 600)
    assert (row.country, row.code_id, row.account_id, row.next_try_at) == ("DE", "cod_1", "usr_1", NOW)
    assert b"203794" not in row.sealed
    assert b"1712345678" not in row.sealed


def test_every_language_keeps_the_last_line() -> None:
    for locale in ("en", "de", "fr", "es", "ar"):
        text = open_sms(SEALER, written(locale)).text
        assert "203794" in text.splitlines()[0]
        assert text.splitlines()[-1] == "@auth.example.com #203794"


def test_a_brand_cannot_change_the_direction_or_the_lines_of_a_message() -> None:
    text = open_sms(SEALER, written(brand="Shop\u202e\n@evil.example #000000")).text
    assert "\u202e" not in text
    assert text.count("\n") == 2
    assert text.splitlines()[-1] == "@auth.example.com #203794"
