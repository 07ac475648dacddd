"""Tokens that an app gets while its access is ended: the commit takes a moment, until which its grants are live.

docs/incidents/0098-tokens-got-while-an-app-was-ended.md
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.self_registered import RegisteredApp
from doorward.features.admin import build as admin
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.sessions.rules.revocation import SNAPSHOT_LAG
from tests.engines import BOTH, Engine
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic
from tests.features.revocations.test_audiences import Listener

ENGINES = BOTH
pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel(engine: Engine, request: pytest.FixtureRequest) -> AsyncGenerator[BackChannel]:
    place = ":memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with back_channel(place) as opened:
        yield opened


class SlowCommit:
    """The next commit takes so many seconds, in which the app refreshes its tokens."""

    def __init__(self, channel: BackChannel, monkeypatch: pytest.MonkeyPatch, seconds: int, raw: str) -> None:
        self.channel, self.seconds, self.raw = channel, seconds, raw
        self.token: str | None = None
        self._commit = channel.store.commit
        self._begun = False
        monkeypatch.setattr(type(channel.store), "commit", self)

    async def __call__(self, *writes: Any) -> bool:
        if not self._begun:
            self._begun = True
            self.channel.clock.time += self.seconds
            answer = await self.channel.refresh(self.raw)
            assert isinstance(answer, TokenResponse)
            self.token = answer.access_token
        return await self._commit(*writes)


async def refused(channel: BackChannel, token: str) -> tuple[bool, bool]:
    """Whether an API refuses a token, and whether introspection does."""
    api = Listener(channel, made.API)
    await api.hear()
    answer = await channel.introspect({"token": token}, authorization=basic(made.client()), caller=CALLER)
    assert not isinstance(answer, OAuthError)
    return api.refuses(token), not answer["active"]


@pytest.mark.requirement(58, 72)
@pytest.mark.parametrize("seconds", [0, 1, SNAPSHOT_LAG + 10])
async def test_a_token_that_an_app_got_before_the_commit_ends(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    await channel.session(await channel.person())
    raw, grant = await channel.family()
    slow = SlowCommit(channel, monkeypatch, seconds, raw)
    await channel.services.get(admin.apps).end_access(OPERATOR, grant.client_id)
    assert slow.token is not None
    assert await refused(channel, slow.token) == (True, True)
    # the app stays: people sign in to it again
    channel.clock.time += SNAPSHOT_LAG + 1
    answer = await channel.refresh((await channel.family())[0])
    assert isinstance(answer, TokenResponse)
    assert await refused(channel, answer.access_token) == (False, False)


@pytest.mark.requirement(58)
async def test_a_token_that_an_app_got_before_it_was_deleted_ends(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await channel.session(await channel.person())
    raw, grant = await channel.family()
    slow = SlowCommit(channel, monkeypatch, SNAPSHOT_LAG + 10, raw)
    await channel.services.get(admin.apps).delete(OPERATOR, grant.client_id)
    assert slow.token is not None
    api = Listener(channel, made.API)
    await api.hear()
    assert api.refuses(slow.token)


@pytest.mark.requirement(58)
@pytest.mark.parametrize("way", ["disable", "delete"])
async def test_so_does_one_of_an_app_that_registered_itself(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    app = RegisteredApp(
        id="dcr_one",
        client=made.client(id="dcr_one"),
        token_hash=b"t" * 32,
        created_at=made.NOW,
        expires_at=made.NOW + 9999,
    )
    assert await channel.store.commit(channel.store.registered_apps.insert(app))
    await channel.session(await channel.person())
    raw, _ = await channel.family()
    SlowCommit(channel, monkeypatch, SNAPSHOT_LAG + 10, raw)
    await getattr(channel.services.get(admin.self_registered), way)(OPERATOR, "dcr_one")
    _, entries = await channel.store.revocations.live(channel.clock.time)
    reached = max(one.before or 0 for one in entries if (one.kind, one.ref) == ("client", "dcr_one"))
    assert reached == channel.clock.time + SNAPSHOT_LAG
