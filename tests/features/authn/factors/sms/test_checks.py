"""Tests of the doctor's check of text messages."""

from __future__ import annotations

import pytest

from doorward.core.model.audit import AuditEvent
from doorward.core.model.finding import Finding
from doorward.core.model.text_message import OutgoingSms
from doorward.features.authn.factors.sms.checks import text_messages
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.feature import Examined
from doorward.settings.tree import Settings
from doorward.storage.sql.store import Store
from tests.containers import settings
from tests.manual_clock import NOW

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(93)]
ON = settings(sms=SmsPolicy(channel="webhook", countries=("DE",)))


async def look(settings: Settings, store: Store, now: int) -> Finding | None:
    sections, issuer = settings.sections, settings.issuer
    return await text_messages(Examined(store=store, sections=sections, issuer=issuer, now=now))


async def written(store: Store, number: int, *, failed: int = 0, country: str = "DE") -> None:
    rows = [
        OutgoingSms(
            id=f"sms_{country}{at}",
            kind="code",
            account_id="usr_1",
            code_id=None,
            country=country,
            sealed=b"",
            created_at=NOW - 10,
            next_try_at=NOW,
            failed_at=NOW if at < failed else None,
            problem="the gateway: it answered 503" if at < failed else None,
        )
        for at in range(number)
    ]
    assert await store.commit(*(store.outgoing_sms.insert(row) for row in rows))


async def test_without_a_gateway_there_is_no_line(store: Store) -> None:
    assert await look(settings(), store, NOW) is None
    found = await look(ON, store, NOW)
    assert found is not None
    assert (found.ok, found.said) == (True, "none in the last hour")


@pytest.mark.parametrize(("failed", "warns"), [(0, False), (1, False), (2, True), (10, True)])
async def test_messages_that_do_not_arrive_are_a_warning(store: Store, failed: int, warns: bool) -> None:
    await written(store, 10, failed=failed)
    found = await look(ON, store, NOW)
    assert found is not None
    assert found.ok
    assert found.said.startswith(f"{failed} of 10 in the last hour did not arrive")
    assert ("DE" in found.said) is (failed > 0)
    assert bool(found.fix) is warns


async def test_what_is_older_than_an_hour_does_not_count(store: Store) -> None:
    await written(store, 10, failed=10)
    found = await look(ON, store, NOW + 3600)
    assert found is not None
    assert found.said == "none in the last hour"


async def test_a_paused_country_is_named(store: Store) -> None:
    event = AuditEvent(
        id="aud_1", at=NOW - 100, kind="sms.country_paused", ok=False, detail={"country": "DE"}
    )
    await store.commit(store.audit.append(event))
    found = await look(ON, store, NOW)
    assert found is not None
    assert not found.ok
    assert "DE" in found.said
    later = await look(ON, store, NOW + 3600)
    assert later is not None
    assert later.ok
