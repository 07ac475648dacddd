"""Token exchange on the real services: who may exchange what, what the new token says, and what ends it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.entitlement import Entitlement
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.token_exchange.rules.request import ACCESS_TOKEN, JWT
from doorward.features.oauth.grants.token_exchange.rules.resting import LIFE
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.sessions.revoker import MANY
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.token_exchange.parties import (
    BILLING,
    LEDGER,
    billing,
    change,
    exchange,
    exchanged,
    furnish,
    lives,
    orders,
    own_token,
    refused,
    token_of,
    web,
)
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as one:
        await furnish(one)
        yield one


@pytest.mark.requirement(36, 67)
async def test_an_api_calls_the_next_one_in_the_persons_name(channel: BackChannel) -> None:
    """R67: instead of passing the token on, which the next API would refuse for its audience."""
    token = await token_of(channel, session_id="ses_one")
    answer = await exchange(channel, token)
    assert isinstance(answer, TokenResponse), answer
    assert (answer.token_type, answer.issued_token_type) == ("Bearer", ACCESS_TOKEN)
    assert answer.refresh_token is answer.id_token is None
    before, after = channel.claims(token), channel.claims(answer.access_token)
    assert (after["sub"], after["aud"], after["client_id"]) == ("usr_ada", BILLING, "app_orders")
    assert after["act"] == {"sub": "app_orders"}
    assert (after["scope"], after["permissions"]) == ("orders:read", ["orders:read"])
    same = ("auth_time", "acr", "amr", "sid")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["jti"].startswith("exg_")
    assert after["exp"] <= before["exp"]


async def test_a_jwt_may_be_asked_for_by_that_name(channel: BackChannel) -> None:
    answer = await exchange(
        channel, await token_of(channel), subject_token_type=JWT, requested_token_type=JWT
    )
    assert isinstance(answer, TokenResponse), answer
    assert answer.issued_token_type == JWT


async def test_the_exchanged_token_ends_with_the_subject_token(channel: BackChannel) -> None:
    token = await token_of(channel)
    channel.clock.time += 200
    answer = await exchange(channel, token)
    assert isinstance(answer, TokenResponse)
    assert answer.expires_in == 100
    assert channel.claims(answer.access_token)["exp"] == channel.claims(token)["exp"]


async def test_actors_are_nested_and_a_disabled_one_ends_the_chain(channel: BackChannel) -> None:
    """keycloak PR#51492: an actor that is there is never dropped."""
    first = await exchange(channel, await token_of(channel))
    assert isinstance(first, TokenResponse)
    second = await exchange(channel, first.access_token, billing())
    assert isinstance(second, TokenResponse), second
    claims = channel.claims(second.access_token)
    assert (claims["sub"], claims["aud"]) == ("usr_ada", LEDGER)
    assert claims["act"] == {"sub": "app_billing", "act": {"sub": "app_orders"}}
    # introspection shows the same (keycloak#53029)
    asked = await channel.introspect(
        {"token": second.access_token}, authorization=basic(billing()), caller=CALLER
    )
    assert isinstance(asked, dict)
    assert (asked["active"], asked["act"]) == (True, claims["act"])
    # the app in the middle goes
    await channel.services.get(admin.apps).delete(OPERATOR, "orders")
    assert not await lives(channel, claims)
    await refused(channel, "invalid_request", first.access_token, billing())


async def test_a_person_may_act_for_another_one(channel: BackChannel) -> None:
    """An actor token says who acts; the app is in client_id."""
    await channel.person(id="usr_eve", email="eve@example.com", name="Eve")
    acting = await token_of(channel, account_id="usr_eve")
    claims = await exchanged(channel, await token_of(channel), actor_token=acting)
    assert (claims["sub"], claims["act"], claims["client_id"]) == (
        "usr_ada",
        {"sub": "usr_eve"},
        "app_orders",
    )
    (event,) = await channel.store.audit.page(kind="token.exchanged", limit=9)
    # keycloak#51489: the log names both
    assert (event.account_id, event.client_id) == ("usr_ada", "app_orders")
    assert event.detail["subject"] == "usr_ada"
    assert event.detail["actors"] == ["usr_eve"]
    eve = await channel.store.accounts.get("usr_eve")
    assert eve is not None
    await channel.services.get(admin.people).disable(OPERATOR, "eve@example.com")
    assert not await lives(channel, claims)
    await refused(channel, "invalid_request", await token_of(channel), actor_token=acting)


async def test_an_app_may_act_by_its_own_token(channel: BackChannel) -> None:
    acting = await own_token(channel, orders(), BILLING)
    claims = await exchanged(channel, await token_of(channel), actor_token=acting)
    assert claims["act"] == {"sub": "app_orders"}


async def test_an_app_exchanges_its_own_tokens_without_becoming_an_actor(channel: BackChannel) -> None:
    token = await token_of(channel)
    claims = await exchanged(channel, token, web())
    assert "act" not in claims
    assert claims["jti"].partition(".")[0] == channel.claims(token)["jti"].partition(".")[0]
    raw, grant = await channel.family(session_id=None)
    by_refresh = await exchanged(channel, raw, web())
    assert (by_refresh["aud"], by_refresh["sub"]) == (BILLING, "usr_ada")
    assert by_refresh["jti"].startswith(f"{grant.id}.")
    assert isinstance(await channel.refresh(raw, web()), TokenResponse), "it was not spent"
    await refused(channel, "invalid_request", raw, web())
    await refused(channel, "invalid_request", raw, orders())


async def test_impersonation_is_allowed_by_name_and_logged(channel: BackChannel) -> None:
    await change(channel, orders(), exchange=ExchangePolicy(apis=(BILLING,), impersonate=True))
    claims = await exchanged(channel, await token_of(channel))
    assert "act" not in claims
    (event,) = await channel.store.audit.page(kind="token.exchanged", limit=9)
    assert event.detail["way"] == "impersonation"
    # with an actor token there is an actor
    acting = await own_token(channel, orders(), BILLING)
    assert (await exchanged(channel, await token_of(channel), actor_token=acting))["act"]
    # and one that is there already stays (keycloak PR#51492)
    await change(
        channel, billing(), exchange=ExchangePolicy(apis=(LEDGER,), impersonate=True), name="billing"
    )
    await change(channel, orders())
    first = await exchange(channel, await token_of(channel))
    assert isinstance(first, TokenResponse)
    assert (await exchanged(channel, first.access_token, billing()))["act"] == {"sub": "app_orders"}


@pytest.mark.parametrize("by_actor_token", [False, True])
async def test_may_act_binds_in_every_form_of_request(channel: BackChannel, by_actor_token: bool) -> None:
    """keycloak#52691: without an actor token the app that asks is the actor."""
    await change(channel, web(), may_act="app_billing")
    token = await token_of(channel)
    assert channel.claims(token)["may_act"] == {"sub": "app_billing"}
    acting = await own_token(channel, orders(), BILLING) if by_actor_token else None
    await refused(channel, "invalid_request", token, actor_token=acting)
    # not even the app itself, nor by impersonation, nor by its refresh token
    await refused(channel, "invalid_request", token, web())
    await change(channel, orders(), exchange=ExchangePolicy(apis=(BILLING,), impersonate=True))
    await refused(channel, "invalid_request", token)
    raw, _ = await channel.family(session_id=None)
    await refused(channel, "invalid_request", raw, web())
    await change(channel, web(), may_act="app_orders")
    assert await exchanged(channel, await token_of(channel), actor_token=acting)


@pytest.mark.requirement(55)
async def test_ending_the_sign_in_ends_all_that_was_exchanged(channel: BackChannel) -> None:
    raw, grant = await channel.family(session_id=None)
    answer = await channel.refresh(raw, web())
    assert isinstance(answer, TokenResponse)
    first = await exchange(channel, answer.access_token)
    assert isinstance(first, TokenResponse)
    chained = await exchanged(channel, first.access_token, billing())
    assert await lives(channel, chained)
    stored = await channel.store.grants.get(grant.id)
    assert stored is not None
    assert await channel.store.commit(
        *channel.revoker.grant(stored, now=channel.clock.time, reason="revoked")
    )
    assert not await lives(channel, channel.claims(first.access_token))
    assert not await lives(channel, chained)
    await refused(channel, "invalid_request", answer.access_token)
    await refused(channel, "invalid_request", first.access_token, billing())


async def test_what_ends_together_with_many_others_is_ended_too(channel: BackChannel) -> None:
    """A session with more grants than end one by one: they end by one statement, and all that rests on the person with them."""
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    session = await channel.session(ada)
    for _ in range(MANY + 1):
        await channel.family()
    of_session = await token_of(channel, session_id=session.id)
    # without its sid, which ends it in any case
    claims = {**await exchanged(channel, of_session), "sid": None}
    assert await lives(channel, claims)
    now = channel.clock.time
    assert await channel.store.commit(*await channel.revoker.session(session, now=now, reason="signed_out"))
    assert not await lives(channel, claims)
    for ended in (
        channel.revoker.app_of("usr_ada", "app_web", now=now, reason="disconnected"),
        channel.revoker.account("usr_ada", now=now, reason="password_changed", sub_entry=False),
    ):
        for _ in range(MANY + 1):
            await channel.family(session_id=None, offline=True)
        other = await exchanged(channel, await token_of(channel, offline=True))
        assert await channel.store.commit(*await ended)
        assert not await lives(channel, other)


async def test_ends_cost_nothing_where_no_app_may_exchange(channel: BackChannel) -> None:
    before = channel.revoker.tokens_of_grant("grt_one", now=channel.clock.time)
    for client in (web(), orders(), billing()):
        await change(channel, client, exchange=None)
    after = channel.revoker.tokens_of_grant("grt_one", now=channel.clock.time)
    assert (len(before.steps), len(after.steps)) == (6, 2)


async def test_a_row_is_used_for_an_hour_and_named_once_in_the_log(channel: BackChannel) -> None:
    raw, _ = await channel.family(session_id=None)

    async def prefix() -> str:
        nonlocal raw
        answer = await channel.refresh(raw, web())
        assert isinstance(answer, TokenResponse)
        raw = answer.refresh_token or ""
        return str((await exchanged(channel, answer.access_token))["jti"]).partition(".")[0]

    first = await prefix()
    assert await prefix() == first
    assert await channel.audited("token.exchanged") == 1
    channel.clock.time += LIFE
    assert await prefix() != first
    assert await channel.audited("token.exchanged") == 2


async def test_a_role_that_was_taken_away_is_missing_in_the_next_exchange(channel: BackChannel) -> None:
    token = await token_of(channel)
    assert await exchanged(channel, token)
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    bare = structs.replace(ada, role_names=())
    assert await channel.store.commit(channel.store.accounts.replace(bare, old=ada))
    await refused(channel, "invalid_scope", token)


async def test_an_app_that_speaks_for_itself_keeps_to_its_own_rights(channel: BackChannel) -> None:
    """The subject is the web app; what it may not do at the billing API itself, nobody does there in its name."""
    token = await own_token(channel, web(), made.API)
    claims = await exchanged(channel, token)
    assert (claims["sub"], claims["act"]) == ("app_web", {"sub": "app_orders"})
    assert claims["scope"].split() == ["orders:read", "orders:write"]
    assert not {"auth_time", "acr", "amr", "sid"} & claims.keys()
    await change(channel, web(), access={made.API: ("orders:read", "orders:write")})
    await refused(channel, "invalid_scope", await own_token(channel, web(), made.API))
    # all its tokens revoked at once: those exchanged for them too
    assert await channel.store.commit(
        channel.revoker.own_tokens("app_web", iat=channel.clock.time, now=channel.clock.time)
    )
    assert not await lives(channel, claims)


async def test_a_token_made_from_an_api_key_is_exchanged_and_ends_with_the_key(channel: BackChannel) -> None:
    """It names the key in place of an app, and rests on no sign-in."""
    made_from_key = Entitlement(
        grant_id="key_one",
        client_id="key_one",
        audience=made.API,
        scopes=("orders:read",),
        account_id="usr_ada",
    )
    now = channel.clock.time
    token = channel.services.get(token_issuer).derived(made_from_key, None, until=None, now=now).access_token
    claims = await exchanged(channel, token)
    assert (claims["sub"], claims["act"]) == ("usr_ada", {"sub": "app_orders"})
    assert "auth_time" not in claims
    assert await channel.store.commit(channel.revoker.tokens_of_grant("key_one", now=now))
    assert not await lives(channel, claims)
    await refused(channel, "invalid_request", token)


async def test_userinfo_refuses_an_exchanged_token(channel: BackChannel) -> None:
    """What it says of a person is for the app that they signed in to: the scopes of OpenID Connect are not exchanged."""
    answer = await exchange(channel, await token_of(channel))
    assert isinstance(answer, TokenResponse)
    told: Any = await channel.userinfo.answer(answer.access_token)
    assert told.code == "insufficient_scope"
    await refused(channel, "invalid_scope", await token_of(channel), scope="openid")


@pytest.mark.requirement(54, 56)
async def test_revoking_one_exchanged_token_and_then_all(channel: BackChannel) -> None:
    """It belongs to the app that got it: the app whose token it was exchanged for neither sees nor revokes it."""
    answer = await exchange(channel, await token_of(channel))
    assert isinstance(answer, TokenResponse)
    form = {"token": answer.access_token}
    stranger = basic(web())
    shown = await channel.introspect(form, authorization=stranger, caller=CALLER)
    assert shown == {"active": False}
    error = await channel.revoke(form, authorization=stranger, caller=CALLER)
    assert error is not None
    assert error.code == "unauthorized_client"
    assert await lives(channel, channel.claims(answer.access_token))
    assert await channel.revoke(form, authorization=basic(orders()), caller=CALLER) is None
    assert not await lives(channel, channel.claims(answer.access_token))
    claims = await exchanged(channel, await token_of(channel))
    assert await channel.store.commit(
        channel.revoker.tokens_of_grant(claims["jti"].partition(".")[0], now=channel.clock.time)
    )
    assert not await lives(channel, claims)


async def test_exchange_is_off_until_an_operator_says_what_for(channel: BackChannel) -> None:
    token = await token_of(channel)
    await change(channel, orders(), exchange=None)
    assert "doorward app exchange orders" in (await refused(channel, "unauthorized_client", token)).fix
    await change(channel, orders(), exchange=ExchangePolicy())
    await refused(channel, "unauthorized_client", token)
    await change(channel, orders(), grant_types=("client_credentials",))
    await refused(channel, "unauthorized_client", token)
    # until every process knows the policy, what it ends would not end what was exchanged
    new = ExchangePolicy(apis=(BILLING,), since=channel.clock.time)
    await change(channel, orders(), exchange=new)
    later = await refused(channel, "temporarily_unavailable", token)
    assert later.retry_at == channel.clock.time + 5
    channel.clock.time += 5
    assert await exchanged(channel, token)
