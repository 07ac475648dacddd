"""The development outbox: present in development only."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from tests.people import PASSWORD, open_house

pytestmark = pytest.mark.anyio


async def test_in_development_the_outbox_shows_code_and_text() -> None:
    async with open_house(development=True) as house:
        browser = house.browser()
        page = await browser.get("/sign-up")
        await browser.submit(page, "sign-up", email="new@example.com", password=PASSWORD)
        (_, _, message), *_ = await house.mails()
        shown = await browser.get("/_dev/outbox")
        assert shown.status == 200
        assert message.code is not None
        assert message.code in shown.text
        assert "new@example.com" in shown.text
        assert "https://auth.example.com/verify?token=" in shown.text


async def test_outside_development_the_outbox_is_not_found() -> None:
    async with open_house(development=False) as house:
        assert (await house.browser().get("/_dev/outbox")).status == 404


async def test_a_mail_sealed_under_another_key_is_skipped() -> None:
    async with open_house(development=True) as house:
        browser = house.browser()
        page = await browser.get("/sign-up")
        await browser.submit(page, "sign-up", email="new@example.com", password=PASSWORD)
        (mail,) = await house.store.messages.recent_mail()
        strange = structs.replace(mail, id="mai_other")
        await house.store.commit(house.store.messages.insert_mail(strange))
        shown = await browser.get("/_dev/outbox")
        assert shown.status == 200
        assert shown.text.count("new@example.com") >= 1


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::1", "localhost.evil.example"]
)
async def test_a_request_with_a_foreign_host_name_reads_no_mail(host: str) -> None:
    async with open_house(development=True) as house:
        page = await house.browser().get("/sign-up")
        await house.browser().submit(page, "sign-up", email="new@example.com", password=PASSWORD)
        answer = await house.browser()._ask("GET", "/_dev/outbox", b"", {"host": host})
        assert answer.status in {400, 404}
        assert "new@example.com" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "auth.example.com",
        "AUTH.example.com:443",
        "localhost:8000",
        "127.0.0.1:8000",
        "127.9.9.9",
        "[::1]:8000",
    ],
)
async def test_the_issuers_host_and_loopback_names_are_accepted(host: str) -> None:
    async with open_house(development=True) as house:
        answer = await house.browser()._ask("GET", "/_dev/outbox", b"", {"host": host})
        assert answer.status == 200


async def test_text_messages_stand_among_the_mails() -> None:
    async with open_house(development=True) as house:
        sms = Sms(
            to="+491712345678",
            text="203794 is your code for Shop.\n\n@auth.example.com #203794",
            expires_at=house.now + 600,
            code="203794",
        )
        sealed = house.sealer.seal(SMS_PURPOSE, "sms_1", msgspec.json.encode(sms))
        row = OutgoingSms(
            id="sms_1",
            kind="code",
            account_id="usr_1",
            code_id=None,
            country="DE",
            sealed=sealed,
            created_at=house.now,
            next_try_at=house.now,
        )
        strange = structs.replace(row, id="sms_2")
        await house.store.commit(
            house.store.outgoing_sms.insert(row), house.store.outgoing_sms.insert(strange)
        )
        shown = await house.browser().get("/_dev/outbox")
        assert shown.text.count("+491712345678") == 1
        assert "Text message" in shown.text
        assert "203794" in shown.text
