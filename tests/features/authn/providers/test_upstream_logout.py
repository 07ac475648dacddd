"""Log-out by a provider: exactly the sessions that rest on what ended there, and no token of anybody else ends one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session
from doorward_verify.encoding import b64url_encode
from tests.features import made
from tests.features.authn.providers.journey import ADA, BOB, Journey, journey
from tests.tabs import Tab, said
from tests.upstream import new_key, upstream

pytestmark = pytest.mark.anyio
PATH = "/sign-in/provider/example/backchannel-logout"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


async def signed_in(there: Journey, **claims: Any) -> tuple[Tab, Session]:
    """A browser that has just signed in by the provider, and its session."""
    tab = there.front.browser()
    before = {one.id for one in await live(there, claims["email"])}
    assert (await there.sign_in(tab, **claims)).path == "/account"
    (session,) = [one for one in await live(there, claims["email"]) if one.id not in before]
    return tab, session


async def live(there: Journey, email: str) -> list[Session]:
    account = await there.account(email)
    if account is None:
        return []
    return list(await there.front.store.sessions.live_of(account.id, there.front.now))


async def told(there: Journey, token: str, path: str = PATH) -> int:
    """The status of the answer to the provider."""
    page = await there.front.browser().ask("POST", path, form={"logout_token": token})
    return page.status


@pytest.mark.requirement(72, 76)
async def test_the_session_of_one_sid_ends_with_its_grants_and_offline_ones(there: Journey) -> None:
    front, store = there.front, there.front.store
    _, first = await signed_in(there, **BOB, sid="s-1")
    _, second = await signed_in(there, **BOB, sid="s-2")
    for session, name in ((first, "one"), (second, "two")):
        for offline in (False, True):
            given = made.grant(
                id=f"grt_{name}_{offline}",
                account_id=session.account_id,
                session_id=session.id,
                offline=offline,
            )
            assert await store.commit(store.grants.insert(given))
    assert await told(there, there.provider.logout_token(sid="s-1", sub=BOB["sub"])) == 200
    assert [one.id for one in await live(there, BOB["email"])] == [second.id]
    left = {one.id for one in await store.grants.live_of_account(first.account_id, front.now)}
    assert left == {"grt_two_False", "grt_two_True"}
    _, entries = await store.revocations.live(front.now)
    assert {(one.kind, one.ref) for one in entries} == {
        ("sid", first.id),
        ("grant", "grt_one_False"),
        ("grant", "grt_one_True"),
    }
    (line,) = await front.audited("session.ended")
    assert (line.session_id, line.detail) == (
        first.id,
        {"reason": "signed_out_by_provider", "provider": "example"},
    )


async def test_without_a_sid_every_session_of_the_person_by_this_provider_ends(there: Journey) -> None:
    tab, _ = await signed_in(there, **BOB, sid="s-1")
    await signed_in(there, **BOB)
    _, other = await signed_in(there, **{**ADA, "email": "ann@example.com"}, sid="s-1")
    bob = await there.account(BOB["email"])
    assert bob is not None
    # signed in here by something else
    own = await there.front.session(bob)
    assert await told(there, there.provider.logout_token(sub=BOB["sub"])) == 200
    assert [one.id for one in await live(there, BOB["email"])] == [own.id]
    assert [one.id for one in await live(there, "ann@example.com")] == [other.id]
    assert (await tab.on(await tab.get("/account"))).path.startswith("/sign-in")


async def test_a_session_whose_id_token_named_none_ends_by_its_person(there: Journey) -> None:
    tab, _ = await signed_in(there, **BOB)
    assert await told(there, there.provider.logout_token(sid="s-1", sub=ADA["sub"])) == 200
    assert (await tab.get("/account")).status == 200
    assert await told(there, there.provider.logout_token(sid="s-1", sub=BOB["sub"])) == 200
    assert (await tab.get("/account")).status == 303


async def test_a_sid_of_somebody_else_and_an_unknown_one_end_nothing_and_are_answered_alike(
    there: Journey,
) -> None:
    await signed_in(there, **BOB, sid="s-1")
    assert await told(there, there.provider.logout_token(sid="s-1", sub=ADA["sub"])) == 200
    assert await told(there, there.provider.logout_token(sid="s-9")) == 200
    assert await told(there, there.provider.logout_token(sub="nobody")) == 200
    assert len(await live(there, BOB["email"])) == 1


async def test_a_second_sign_in_in_the_same_session_is_what_it_rests_on(there: Journey) -> None:
    app = await there.front.register(made.public(access={}))
    tab, session = await signed_in(there, **BOB, sid="s-1")
    there.front.clock.time += 100
    again = there.front.asking(app, scope="openid", prompt="login")
    page = await there.sign_in(tab, again, **BOB, sid="s-2", auth_time=there.front.now)
    await tab.submit(page, "consent", decision="allow")
    assert await told(there, there.provider.logout_token(sid="s-1")) == 200
    assert [one.id for one in await live(there, BOB["email"])] == [session.id]
    assert await told(there, there.provider.logout_token(sid="s-2")) == 200
    assert await live(there, BOB["email"]) == []


@pytest.mark.requirement(94)
async def test_a_sign_in_that_waits_for_its_second_step_loses_its_proof(there: Journey) -> None:
    await signed_in(there, **BOB, sid="s-1")
    bob = await there.account(BOB["email"])
    assert bob is not None
    await there.front.authenticator(bob)
    tab = there.front.browser()
    page = await there.sign_in(tab, **BOB, sid="s-2")
    assert "code" in page.path
    assert await told(there, there.provider.logout_token(sid="s-2")) == 200
    page = await tab.on(await tab.submit(page, "second-factor", code=there.front.code()))
    assert page.path.startswith("/sign-in")
    assert len(await live(there, BOB["email"])) == 1


@pytest.mark.requirement(42, 76)
async def test_no_token_but_the_providers_own_ends_a_session(there: Journey, tmp_path: Path) -> None:
    """Forged, unsigned, of another kind, of another provider, for another client, old."""
    provider = there.provider
    await signed_in(there, **BOB, sid="s-1")
    good: dict[str, Any] = {"sid": "s-1", "sub": BOB["sub"]}
    bare = provider.logout_token(**good)
    head, body, _ = bare.split(".")
    unsigned = b64url_encode(b'{"alg":"none","typ":"logout+jwt"}')
    async with upstream(tmp_path, provider.clock, name="other") as other:
        foreign = other.logout_token(**good)
        posing = other.logout_token(**good, iss=provider.issuer)
    refused = [
        f"{unsigned}.{body}.",
        f"{head}.{body}.{b64url_encode(b'x' * 64)}",
        provider.logout_token(**good, key=new_key(provider.keys[0].kid)),
        provider.logout_token(**good, key=new_key("nobody's")),
        provider.logout_token(**good, typ="at+jwt"),
        provider.logout_token(**good, aud="another client"),
        provider.logout_token(**good, nonce="n"),
        provider.logout_token(**good, events=None),
        provider.logout_token(**good, iat=provider.clock.time - 600),
        provider.logout_token(),
        foreign,
        posing,
        "",
        "x",
        "\u00e9",
    ]
    for token in refused:
        assert await told(there, token) == 400, token
    assert len(await live(there, BOB["email"])) == 1
    assert await there.front.audited("session.ended") == []
    assert await told(there, bare) == 200
    assert await live(there, BOB["email"]) == []


@pytest.mark.requirement(76)
async def test_a_token_works_once(there: Journey) -> None:
    token = there.provider.logout_token(sub=BOB["sub"])
    await signed_in(there, **BOB)
    assert await told(there, token) == 200
    await signed_in(there, **BOB)
    assert await told(there, token) == 400
    assert len(await live(there, BOB["email"])) == 1


async def test_while_the_providers_keys_cannot_be_had_it_is_to_try_again(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        there.provider.down = True
        assert await told(there, there.provider.logout_token(sub="x")) == 503


@pytest.mark.requirement(72)
async def test_offline_access_ends_though_the_session_ended_long_before(tmp_path: Path) -> None:
    """An app that holds offline access of a sign-in which the provider takes back, when neither the session nor its row is there any more."""
    more = {"sessions": SessionPolicy(idle=3600, absolute=86_400)}
    async with journey(tmp_path, more=more) as there:
        front, store = there.front, there.front.store
        app = await front.register(made.public(access={}))
        tab = front.browser()
        asking = front.asking(app, scope="openid offline_access")
        page = await there.sign_in(tab, asking, **BOB, sid="s-1")
        if page.path.startswith("/consent"):
            page = await tab.on(await tab.submit(page, "consent", decision="allow"))
        tokens = await front.redeem(app, said(page)["code"], redirect_uri=app.redirect_uris[0])
        assert tokens["status"] == 200
        (session,) = await live(there, BOB["email"])
        (grant,) = await store.grants.live_of_session(session.id, front.now)
        assert grant.offline
        front.clock.time = session.expires_at + 2 * 86_400
        assert grant.expires_at > front.now
        while await store.sweep(front.now):
            pass
        assert await store.sessions.get(session.id) is None
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        again = await front.token(app, refresh)
        assert again["status"] == 200
        # of another session there, nothing ends
        assert await told(there, there.provider.logout_token(sid="s-2", sub=BOB["sub"])) == 200
        assert await store.grants.live_of_session(session.id, front.now) != []
        assert await told(there, there.provider.logout_token(sid="s-1", sub=BOB["sub"])) == 200
        refused = await front.token(app, {**refresh, "refresh_token": again["refresh_token"]})
        assert (refused["status"], refused["error"]) == (400, "invalid_grant")
        (line,) = await front.audited("provider.access_ended")
        assert (line.session_id, line.detail) == (session.id, {"provider": "example"})
