"""The end of what people have open who are connected with a provider or directory, also one that the settings do not name any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.admin import build
from doorward.features.admin.connections import ConnectionAdmin
from doorward.features.admin.error import AdminError
from doorward.ops.doctor.checks.connections import connections
from doorward.settings import Settings
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.authn.providers.journey import ADA, BOB, Journey, journey

pytestmark = pytest.mark.anyio


async def with_two(there: Journey) -> ConnectionAdmin:
    """Ada, who signs in by a password, and Bob, who is connected; each has a session and offline access of an app."""
    front, store = there.front, there.front.store
    ada = await front.person()
    await front.signed_in()
    assert (await there.sign_in(front.browser(), **BOB)).path == "/account"
    bob = await there.account(BOB["email"])
    assert bob is not None
    for account in (ada, bob):
        given = made.grant(id=f"grt_{account.id}", account_id=account.id, session_id=None, offline=True)
        assert await store.commit(store.grants.insert(given))
    return front.services.get(build.connections)


@pytest.mark.requirement(72)
async def test_everything_of_theirs_ends_and_nothing_of_others(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        front, store = there.front, there.front.store
        admin = await with_two(there)
        done = await admin.end_access(OPERATOR, "example")
        assert (done.issuers, done.people) == ((there.provider.issuer,), 1)
        bob, ada = await there.account(BOB["email"]), await there.account(ADA["email"])
        assert bob is not None
        assert ada is not None
        assert await store.sessions.live_of(bob.id, front.now) == []
        assert await store.grants.live_of_account(bob.id, front.now) == []
        assert len(await store.sessions.live_of(ada.id, front.now)) == 1
        assert len(await store.grants.live_of_account(ada.id, front.now)) == 1
        (line,) = await front.audited("account.signed_out")
        assert (line.account_id, line.detail["issuer"]) == (bob.id, there.provider.issuer)
        # the connection stays: who is still let in there comes back, and there is nothing to end twice
        assert (await admin.end_access(OPERATOR, there.provider.issuer)).people == 0
        assert (await there.sign_in(front.browser(), **BOB)).path == "/account"


async def test_a_section_that_is_gone_is_named_by_its_issuer(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        await with_two(there)
        issuer, settings = there.provider.issuer, there.front.settings
        found = await connections(settings, there.front.store)
        assert found is not None
        assert (found.said, found.fix) == ("people who sign in by a provider or directory: 1", "")
        bare = Settings(issuer=settings.issuer)
        gone = await connections(bare, there.front.store)
        assert gone is not None
        assert gone.ok
        assert f"1 with {issuer}" in gone.said
        assert f'doorward provider end-access "{issuer}"' in gone.fix
        admin = ConnectionAdmin(
            store=there.front.store,
            random=there.front.services.random,
            clock=there.front.clock,
            revoker=there.front.revoker,
            marks={},
        )
        assert [one.known for one in await admin.issuers(OPERATOR)] == [False]
        with pytest.raises(AdminError, match="connection_unknown"):
            await admin.end_access(OPERATOR, "example")
        assert (await admin.end_access(OPERATOR, issuer)).people == 1


async def test_doctor_says_nothing_where_nobody_is_connected(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        assert await connections(there.front.settings, there.front.store) is None
