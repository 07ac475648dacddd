"""Back-channel log-out: who is told of what, as the field's reports demand it (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from msgspec.structs import replace

from doorward.adapters.mail.delivery import Deliver, LogoutWorker
from doorward.core.model.message import LogoutNotice
from doorward.core.model.session import EndReason, Session
from doorward.features.oauth.logout.build import first_tries, sign_out
from doorward.features.oauth.logout.notify import FirstTries
from tests.engines import BOTH, Engine
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel
from tests.waiting import PATIENCE

ENGINES = BOTH
pytestmark = pytest.mark.anyio
TOLD = "https://app.example.com/logout"


@pytest.fixture
async def channel(engine: Engine, request: pytest.FixtureRequest) -> AsyncGenerator[BackChannel]:
    """Ada uses the web app in two sessions, and a second app in one of them; both are told of log-outs."""
    place = ":memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with back_channel(place) as opened:
        other = made.client(id="app_other", name="other", backchannel_logout_uri=TOLD)
        await opened.put(made.client(backchannel_logout_uri=TOLD), other)
        ada = await opened.person()
        for session_id in ("ses_one", "ses_two"):
            await opened.session(ada, session_id)
            await opened.family(session_id=session_id)
        await opened.family(session_id="ses_two", client_id="app_other")
        yield opened


async def told(channel: BackChannel) -> list[tuple[str, str]]:
    """(app, session) of what waits."""
    found = await channel.store.messages.due_logouts(channel.clock.time)
    return sorted((one.client_id, one.session_id) for one in found)


@pytest.mark.requirement(76)
async def test_apps_are_told_of_a_session_that_expires_once(channel: BackChannel) -> None:
    """Sent at expiry too (keycloak#25171)."""
    end = made.NOW + 86_400
    assert await channel.revoker.tell_of_expired(now=end - 1, since=made.NOW - 1) == 0
    assert await told(channel) == []
    channel.clock.time = end
    for expected in (2, 0):
        assert await channel.revoker.tell_of_expired(now=end, since=made.NOW) == expected
    assert await told(channel) == [("app_other", "ses_two"), ("app_web", "ses_one"), ("app_web", "ses_two")]


async def test_without_an_app_that_is_told_no_expired_session_is_looked_for(channel: BackChannel) -> None:
    await channel.put(made.client(), made.client(id="app_other", name="other"))
    end = made.NOW + 86_400
    assert await channel.revoker.tell_of_expired(now=end, since=made.NOW) == 0


@pytest.mark.requirement(76)
async def test_the_end_of_all_sessions_is_told_once_to_each_app_and_names_no_session(
    channel: BackChannel,
) -> None:
    """ "All sessions" has no sid (keycloak PR#49576)."""
    now = channel.clock.time
    ended = await channel.revoker.account("usr_ada", now=now, reason="account_disabled", sub_entry=True)
    assert await channel.store.commit(*ended)
    assert await told(channel) == [("app_other", ""), ("app_web", "")]
    notice, _ = await channel.store.messages.due_logouts(now)
    made_ = channel.logout.make(notice, now=now)
    assert made_ is not None
    said = channel.claims(made_[1], "logout+jwt")
    assert said["sub"] == "usr_ada"
    assert "sid" not in said


@pytest.mark.requirement(76)
async def test_each_session_of_an_app_ends(channel: BackChannel) -> None:
    """Each session of an app ends (keycloak#27359): one that stays keeps the others apart, by their sid."""
    now = channel.clock.time
    ada = await channel.store.sessions.get("ses_one")
    assert ada is not None
    third = await channel.store.accounts.get("usr_ada")
    assert third is not None
    await channel.session(third, "ses_three")
    await channel.family(session_id="ses_three")
    assert await channel.store.commit(*await channel.revoker.others(ada, now=now, reason="ended_by_owner"))
    assert await told(channel) == [
        ("app_other", "ses_two"),
        ("app_web", "ses_three"),
        ("app_web", "ses_two"),
    ]


@pytest.mark.requirement(76)
async def test_the_deletion_of_an_account_is_told_after_its_rows_are_gone(channel: BackChannel) -> None:
    """Deletion notifies (keycloak#13272)."""
    now = channel.clock.time
    ended = await channel.revoker.account("usr_ada", now=now, reason="account_deleted", sub_entry=True)
    assert await channel.store.commit(*ended, channel.store.delete_account("usr_ada"))
    assert await told(channel) == [("app_other", ""), ("app_web", "")]


async def signed_out(channel: BackChannel, longest: float) -> None:
    """Ada signs out of her first session."""
    action = channel.services.get(sign_out)
    action = replace(action, first_tries=replace(action.first_tries, longest=longest))
    session = await channel.store.sessions.get("ses_one")
    assert session is not None
    await action.end(session, reason="signed_out", client_id=None, caller=CALLER, now=channel.clock.time)


@pytest.mark.requirement(76)
@pytest.mark.parametrize("answer", [None, "it answers 503"])
async def test_a_log_out_answers_after_the_first_try(channel: BackChannel, answer: str | None) -> None:
    """A person who goes back to the app finds its session ended (hydra#3540). An app that fails is told later."""
    tried: list[str] = []

    async def deliver(notice: LogoutNotice) -> str | None:
        await asyncio.sleep(0)
        tried.append(notice.session_id)
        return answer

    worker = LogoutWorker(
        store=channel.store,
        deliver=deliver,
        clock=channel.clock,
        metrics=channel.services.metrics,
        interval=PATIENCE,
        woken=channel.services.get(first_tries).woken,
    )
    running = asyncio.create_task(worker.run())
    # it looks once, and then waits to be woken
    await asyncio.sleep(0.05)
    await signed_out(channel, longest=PATIENCE)
    assert tried == ["ses_one"]
    running.cancel()


@pytest.mark.requirement(76)
async def test_a_log_out_waits_no_longer_for_an_app_that_hangs(channel: BackChannel) -> None:
    """Log-out answers after two seconds whatever an app does (hydra#3540): the notice is stored, and a background task sends it."""
    assert FirstTries(store=channel.store).longest == 2
    await signed_out(channel, longest=0.05)
    assert await told(channel) == [("app_web", "ses_one")]


@pytest.mark.requirement(76)
async def test_while_an_older_program_runs_each_session_is_told(channel: BackChannel) -> None:
    """Its worker would sign "all sessions" as an empty sid."""
    old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, ?)"
    await channel.store._db.apply(((old, (channel.clock.time,), None),))
    now = channel.clock.time
    ended = await channel.revoker.account("usr_ada", now=now, reason="account_disabled", sub_entry=True)
    assert await channel.store.commit(*ended)
    assert await told(channel) == [("app_other", "ses_two"), ("app_web", "ses_one"), ("app_web", "ses_two")]


def worker_of(channel: BackChannel, deliver: Deliver) -> LogoutWorker:
    """The worker of this process."""
    waits = channel.services.get(first_tries)
    return LogoutWorker(
        store=channel.store,
        deliver=deliver,
        clock=channel.clock,
        metrics=channel.services.metrics,
        interval=PATIENCE,
        woken=waits.woken,
        tried=waits.tried,
    )


@pytest.mark.requirement(76)
async def test_sessions_that_end_together_are_waited_for_once(channel: BackChannel) -> None:
    """All notices are on their way before the first wait, and the tries themselves end it: no time of waiting is polled away."""
    together = asyncio.Barrier(3)

    async def deliver(notice: LogoutNotice) -> str | None:
        # goes on when all three are being sent
        await together.wait()
        return None

    action = channel.services.get(sign_out)
    waits = action.first_tries
    waits.longest = PATIENCE
    found = [await channel.store.sessions.get(one) for one in ("ses_one", "ses_two")]
    running = asyncio.create_task(worker_of(channel, deliver).run())
    ended: list[tuple[Session, EndReason]] = [(one, "signed_out") for one in found if one is not None]
    await action.end_all(ended, client_id=None, caller=CALLER, now=channel.clock.time)
    assert await told(channel) == []
    assert waits.waiting == {}
    running.cancel()


@pytest.mark.requirement(76)
async def test_a_sign_out_beyond_those_that_may_wait_is_answered_at_once(channel: BackChannel) -> None:
    """An app that hangs cannot hold every sign-out of a process."""
    waits = channel.services.get(first_tries)
    waits.longest, waits.most = PATIENCE, 1
    session = await channel.store.sessions.get("ses_one")
    assert session is not None
    now = channel.clock.time
    assert await channel.store.commit(
        *await channel.revoker.session(session, now=now, reason="signed_out", first=True)
    )
    first = asyncio.create_task(waits.of("ses_one"))
    while not waits.waiting:
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE / 2):
        await waits.of("ses_one")
    assert not first.done()
    assert len(waits.waiting) == 1
    first.cancel()
