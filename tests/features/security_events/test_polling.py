"""Delivery of events by poll, and verification events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorward.core.model.caller import Caller
from doorward.features.audit.build import audit_log
from doorward.features.security_events import build
from doorward.features.security_events.build import polling
from doorward.features.security_events.rules.poll_request import Poll
from tests.engines import BOTH
from tests.features import made
from tests.features.security_events.conftest import Transmitter
from tests.features.security_events.receiver import verified

ENGINES = BOTH
pytestmark = pytest.mark.anyio


@pytest.mark.requirement(59)
async def test_events_are_polled_acknowledged_and_refused(transmitter: Transmitter) -> None:
    """RFC 8936 §2.4: polls with and without acknowledgements, bounded, and those that only acknowledge."""
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await transmitter.stream(shop)
    assert await transmitter.poll(shop, stream) == {"sets": {}, "moreAvailable": False}
    for kind in ("account.disabled", "account.enabled", "account.disabled"):
        await transmitter.disable(ada, kind)
    first = await transmitter.poll(shop, stream, maxEvents=2)
    assert (len(first["sets"]), first["moreAvailable"]) == (2, True)
    again = await transmitter.poll(shop, stream, maxEvents=2)
    assert again == first, "what was not acknowledged comes again, with the same jti and the same bytes"
    jwks = channel.signer.jwks()
    for jti, token in first["sets"].items():
        assert verified(token, jwks, issuer=made.ISSUER, audience="app_shop")["jti"] == jti
    one, two = first["sets"]
    rest = await transmitter.poll(
        shop, stream, ack=[one, "unheard-of"], setErrs={two: {"err": "invalid_request"}}
    )
    assert (len(rest["sets"]), rest["moreAvailable"]) == (1, False)
    assert not {one, two} & set(rest["sets"])
    done = await transmitter.poll(shop, stream, maxEvents=0, ack=list(rest["sets"]))
    assert done == {"sets": {}, "moreAvailable": False}
    assert await channel.store.security_events.counts() == {}


async def test_a_poll_waits_for_an_event_and_is_answered_when_the_process_stops(
    transmitter: Transmitter,
) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await channel.store.security_events.get((await transmitter.stream(shop))["stream_id"])
    assert stream is not None
    service = channel.services.get(polling)
    asked = Poll(most=5, wait=True, accepted=(), refused={})
    waiting = asyncio.create_task(service.poll(stream, asked))
    await asyncio.sleep(0)
    assert not waiting.done()
    await transmitter.disable(ada)
    assert len((await waiting)["sets"]) == 1
    await channel.store.commit(channel.store.security_events.empty(stream.id))
    late = asyncio.create_task(service.poll(stream, asked))
    await asyncio.sleep(0)
    service.release()
    assert (await late)["sets"] == {}


@pytest.mark.parametrize("state", [{}, {"state": "VGhpcyBpcyBhbiBleGFtcGxl"}])
async def test_verification_with_and_without_state(transmitter: Transmitter, state: dict[str, str]) -> None:
    shop = await transmitter.app("shop")
    stream = await transmitter.stream(shop)
    body = {"stream_id": stream["stream_id"], **state}
    assert (await transmitter.ask(shop, "POST", "/ssf/verify", body)).status == 204
    (token,) = (await transmitter.poll(shop, stream))["sets"].values()
    said = verified(token, transmitter.channel.signer.jwks(), issuer=made.ISSUER, audience="app_shop")
    assert said["events"] == {"https://schemas.openid.net/secevent/ssf/event-type/verification": state}
    assert said["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    soon = await transmitter.ask(shop, "POST", "/ssf/verify", body)
    assert (soon.status, soon.headers["retry-after"]) == (429, "30")


async def test_a_paused_stream_gives_nothing_and_a_disabled_one_forgets(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await transmitter.stream(shop)

    async def to(status: str) -> None:
        body = {"stream_id": stream["stream_id"], "status": status}
        assert (await transmitter.ask(shop, "POST", "/ssf/status", body)).status == 200

    await to("paused")
    await transmitter.disable(ada)
    assert await transmitter.poll(shop, stream) == {"sets": {}, "moreAvailable": False}
    await to("enabled")
    assert len((await transmitter.poll(shop, stream))["sets"]) == 2
    await to("disabled")
    assert await channel.store.security_events.counts() == {}


@pytest.mark.requirement(59)
@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_an_app_hears_that_an_operator_stopped_its_stream(
    transmitter: Transmitter, status: Any
) -> None:
    """SSF 1.0 §8.1.5: the only thing that a stream says that is not enabled."""
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await transmitter.stream(shop)
    await transmitter.disable(ada)
    streams = channel.services.get(build.streams)
    noted = streams.noted_by_app(shop.id, Caller())
    await streams.set_status(shop.id, stream["stream_id"], status, "moving", noted)
    await streams.set_status(shop.id, stream["stream_id"], "enabled", None, noted)
    await streams.set_status(shop.id, stream["stream_id"], status, "moving again", noted)
    answer = await transmitter.poll(shop, stream)
    ((jti, token),) = answer["sets"].items()
    assert answer["moreAvailable"] is False
    said = verified(token, channel.signer.jwks(), issuer=made.ISSUER, audience="app_shop")
    updated = {"status": status, "reason": "moving again"}
    assert said["events"] == {"https://schemas.openid.net/secevent/ssf/event-type/stream-updated": updated}
    assert said["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    answer = await transmitter.poll(shop, stream, ack=[jti])
    assert answer == {"sets": {}, "moreAvailable": False}


async def test_a_changed_password_is_told_by_a_person(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await transmitter.stream(shop)
    log, now = channel.services.get(audit_log), channel.clock.time
    await channel.store.commit(log.write("password.changed", caller=Caller(), now=now, account_id=ada.id))
    (token,) = (await transmitter.poll(shop, stream))["sets"].values()
    said = verified(token, channel.signer.jwks(), issuer=made.ISSUER, audience="app_shop")
    assert said["events"] == {
        "https://schemas.openid.net/secevent/caep/event-type/credential-change": {
            "event_timestamp": now,
            "credential_type": "password",
            "change_type": "update",
            "initiating_entity": "user",
            "reason_admin": {"en": "password updated"},
        }
    }
