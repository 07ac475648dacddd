"""Every kind of notice, alone and in one mail: what the owner reads of it, received by a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import asdict

from doorward.features.slots import message_templates
from doorward.web.mail.message import ALARM, AccountNotice
from tests.engines import POSTGRES_IN_SOAK
from tests.features.notices.outbox import Outbox, Sink, mail_server
from tests.front_channel import Front, front_channel
from tests.pages.test_mail import messages

pytestmark = pytest.mark.anyio
ENGINES = POSTGRES_IN_SOAK
_WRITTEN = {"at", "device", "origin", "place", "not_me"}
"""Fields that the mail queue fills in."""


@pytest.fixture
async def sending(own_database: str | None) -> AsyncIterator[tuple[Front, Outbox, Sink]]:
    async with front_channel(database=own_database or ":memory:") as front:
        with mail_server() as (sink, smtp):
            yield front, Outbox(front, smtp=smtp), sink


def samples() -> dict[str, tuple[type[AccountNotice], dict[str, Any]]]:
    """One of each kind, with the values that its feature gives."""
    return {
        one.kind: (type(one), {name: value for name, value in asdict(one).items() if name not in _WRITTEN})
        for one in messages()
        if isinstance(one, AccountNotice)
    }


async def test_each_kind_is_a_mail_with_time_place_and_link(sending: tuple[Front, Outbox, Sink]) -> None:
    front, outbox, sink = sending
    ada, found = await front.person(), samples()
    declared = {
        kind
        for kind, template in front.services.get(message_templates).items()
        if issubclass(template, AccountNotice)
    }
    # the messages of API keys have a test of their own
    assert found.keys() | {"api_key_created", "api_key_rotated"} == declared
    for kind, (template, values) in found.items():
        await outbox.happens(kind, ada, **values)
        sent = await outbox.run()
        assert bool(sent) == (template.weight == ALARM), kind
        await outbox.run(30)
        (mail,) = sink.mails
        (text,) = sink.texts()
        assert mail["To"] == ada.email
        for said in (
            "UTC · Chrome on",
            "From an unknown place (192.0.2.7)",
            "/not-me?token=",
            "/account/activity",
        ):
            assert said in text, kind
        front.clock.time += 86_400


async def test_all_kinds_in_one_mail_are_told_with_the_urgent_ones_first(
    sending: tuple[Front, Outbox, Sink],
) -> None:
    front, outbox, sink = sending
    ada, found = await front.person(), samples()
    for kind, (_, values) in found.items():
        await outbox.happens(kind, ada, **values)
    await outbox.run(30)
    (mail,) = sink.mails
    (text,) = sink.texts()
    assert str(mail["Subject"]).endswith(f"and {len(found) - 1} more notices")
    titles = [line for line in text.splitlines() if line.startswith("* ")]
    assert len(titles) == 10
    assert "* Your password for Doorward was changed" in titles[:7]
    assert "Your activity shows all of it." in text
