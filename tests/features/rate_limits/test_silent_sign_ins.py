"""Silent sign-ins of apps: one session uses up its own part of what its person may begin (R93, R95)."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.features.rate_limits.build import sign_in_starts
from doorward.features.rate_limits.rules.sign_in_starts import SESSIONS
from tests.features import made
from tests.front_channel import front_channel
from tests.tabs import said

pytestmark = pytest.mark.anyio
APP = structs.replace(made.client(), first_party=True)


@pytest.mark.requirement(93, 95)
async def test_a_stolen_session_does_not_use_up_its_owners_silent_sign_ins() -> None:
    """docs/incidents/0070-silent-sign-ins-of-a-stolen-session.md"""
    async with front_channel() as front:
        await front.register(APP)
        ada = await front.person()
        stolen = await front.signed_in()
        (session,) = await front.store.sessions.live_of(ada.id, front.now)
        owner = await front.signed_in()
        silent = front.asking(APP, prompt="none")
        limiter, name = front.services.get(sign_in_starts), f"session {session.id}"
        assert "code" in said(await stolen.get(silent))
        assert [limiter.counter.count(who, front.now)[0] for who in (name, ada.id)] == [1, 1]
        while limiter.full(name, front.now, parts=SESSIONS) is None:
            limiter.note(name, front.now)
            limiter.note(ada.id, front.now)
        assert (await stolen.get(silent)).status == 429
        assert "code" in said(await owner.get(silent))
