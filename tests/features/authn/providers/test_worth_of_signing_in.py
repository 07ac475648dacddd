"""What a sign-in at a provider is worth here: second factors, its time, and questions of the app that go on to the provider."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import PASSWORD
from tests.features import made
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


@pytest.mark.requirement(85, 92)
async def test_the_local_second_factor_is_asked_for(there: Journey) -> None:
    await there.sign_in(there.front.browser(), **BOB)
    bob = await there.account("bob@example.net")
    assert bob is not None
    await there.front.authenticator(bob)
    tab = there.front.browser()
    page = await there.sign_in(tab, amr=["mfa"], acr="high", **BOB)
    assert page.path.startswith("/sign-in/code")
    done = await tab.on(await tab.submit(page, "second-factor", code=there.front.code()))
    assert done.path == "/account"
    newest = (await there.front.store.sessions.live_of(bob.id, there.front.now))[0]
    assert newest.acr == "urn:doorward:aal2"


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("claims", "asked"), [({"amr": ["mfa"]}, False), ({"amr": ["pwd"]}, True), ({}, True)]
)
async def test_it_is_not_asked_for_where_the_operator_trusts_the_provider_to_say_so(
    tmp_path: Path, claims: dict[str, Any], asked: bool
) -> None:
    async with journey(tmp_path, trusted_amr=("mfa",)) as there:
        await there.sign_in(there.front.browser(), **BOB)
        bob = await there.account("bob@example.net")
        assert bob is not None
        await there.front.authenticator(bob)
        page = await there.sign_in(there.front.browser(), **BOB, **claims)
        assert page.path.startswith("/sign-in/code" if asked else "/account")
        if not asked:
            newest = (await there.front.store.sessions.live_of(bob.id, there.front.now))[0]
            assert newest.acr == "urn:doorward:aal2"


@pytest.mark.requirement(13, 92)
@pytest.mark.parametrize(("auth_time", "accepted"), [("now", True), (None, False), ("yesterday", False)])
async def test_prompt_login_needs_a_sign_in_there_that_is_shown_to_be_new(
    there: Journey, auth_time: str | None, accepted: bool
) -> None:
    app = await there.front.register(made.public(access={}))
    tab = there.front.browser()
    url = await there.leave(tab, there.front.asking(app, scope="openid", prompt="login"))
    asked = there.provider.asked(url)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    times = {"now": there.front.now, "yesterday": there.front.now - 86_400}
    claims: dict[str, Any] = {} if auth_time is None else {"auth_time": times[auth_time]}
    page = await tab.on(await tab.get(there.provider.approved(url, **BOB, **claims)))
    assert ("sign in anew" in (page.problem or "")) is not accepted


@pytest.mark.requirement(13, 92)
@pytest.mark.parametrize(("age", "accepted"), [(30, True), (90, False), (None, False)])
async def test_max_age_goes_on_to_the_provider_whose_session_may_be_that_old(
    there: Journey, age: int | None, accepted: bool
) -> None:
    """Nobody signs in there again for it while the session is young enough; a provider that does not say how old it is, is not believed."""
    await there.sign_in(there.front.browser(), **BOB)
    tab = there.front.browser()
    app = await there.front.register(made.public(access={}))
    left = await there.leave(tab, there.front.asking(app, scope="openid", max_age="60"))
    asked = there.provider.asked(left)
    assert asked["max_age"] == "60"
    assert "prompt" not in asked
    said: dict[str, Any] = {} if age is None else {"auth_time": there.front.now - age}
    page = await tab.on(await tab.get(there.provider.approved(left, **BOB, **said)))
    assert ("sign in anew" in (page.problem or "")) is not accepted


@pytest.mark.requirement(92)
async def test_the_time_of_the_sign_in_there_is_that_of_the_session(there: Journey) -> None:
    await there.sign_in(there.front.browser(), auth_time=there.front.now - 5000, **BOB)
    bob = await there.account("bob@example.net")
    assert bob is not None
    (session,) = await there.front.store.sessions.live_of(bob.id, there.front.now)
    assert session.auth_time == there.front.now - 5000


@pytest.mark.requirement(92)
@pytest.mark.parametrize("connected", ["at the first sign-in", "by its owner"])
async def test_a_session_there_from_before_the_connection_signs_in_to_every_app(
    there: Journey, connected: str
) -> None:
    """Somebody who signed in there this morning is connected here now: the session that follows is worth what any other is."""
    app = await there.front.register(made.public(access={}, first_party=True))
    if connected == "by its owner":
        await there.front.person(email="bob@example.net")
        tab = there.front.browser()
        assert (await tab.sign_in("bob@example.net", PASSWORD)).status == 303
        page = await tab.on(await tab.get("/account/methods/providers"))
        left = sent_to(await tab.submit(page, "connect-example"))
        page = await tab.on(await tab.get(there.provider.approved(left, **BOB)))
        assert "The account is connected" in page.words
    tab = there.front.browser()
    morning = there.front.now - 8 * 3600
    assert (await there.sign_in(tab, **BOB, auth_time=morning)).path == "/account"
    bob = await there.account("bob@example.net")
    assert bob is not None
    (session, *_) = await there.front.store.sessions.live_of(bob.id, there.front.now)
    assert session.auth_time == morning
    answer = await tab.on(await tab.get(there.front.asking(app, scope="openid")))
    assert "code=" in sent_to(answer), answer.words


@pytest.mark.requirement(94)
async def test_a_session_of_a_removed_connection_signs_in_to_nothing_and_a_new_one_does_not_revive_it(
    there: Journey,
) -> None:
    app = await there.front.register(made.public(access={}, first_party=True))
    await there.front.person(email="bob@example.net")
    own = there.front.browser()
    await own.sign_in("bob@example.net", PASSWORD)

    async def connect() -> None:
        page = await own.on(await own.get("/account/methods/providers"))
        left = sent_to(await own.submit(page, "connect-example"))
        page = await own.on(await own.get(there.provider.approved(left, **BOB)))
        assert "The account is connected" in page.words

    await connect()
    by_provider = there.front.browser()
    assert (await there.sign_in(by_provider, **BOB, auth_time=there.front.now - 8 * 3600)).path == "/account"
    bob = await there.account("bob@example.net")
    assert bob is not None
    page = await own.on(await own.get("/account/methods/providers"))
    page = await own.on(await own.submit(page, "disconnect-1"))
    assert "The account is disconnected" in page.words
    for _ in range(2):
        page = await by_provider.on(await by_provider.get(there.front.asking(app, scope="openid")))
        assert page.path.startswith("/sign-in"), page.words
        # the same account there, by another connection
        if not await there.front.store.external_identities.of_account(bob.id):
            await connect()
