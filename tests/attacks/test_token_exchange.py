"""Token exchange as a way to get more: another API, more scopes, another subject, an actor who is gone, tokens of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.grant import Grant
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.grants.token_exchange.rules.request import ID_TOKEN, JWT
from doorward.features.oauth.token.rules import TokenResponse
from tests.engines import POSTGRES_IN_SOAK
from tests.features import made
from tests.features.api_keys.keyring import exchange as by_key
from tests.features.api_keys.keyring import key_of
from tests.features.oauth.grants.token_exchange.parties import (
    BILLING,
    EXCHANGE,
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
from tests.features.oauth.logout.back_channel import BackChannel, back_channel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as one:
        await furnish(one)
        yield one


@pytest.mark.requirement(36)
async def test_scopes_are_not_widened(channel: BackChannel) -> None:
    """Although the app may have orders:write at the target, and the role of the person has it there as well."""
    writer = structs.replace(
        made.config().roles["reader"], permissions={BILLING: ("orders:read", "orders:write")}
    )
    assert await channel.store.commit(channel.store.registry.put_role(writer))
    token = await token_of(channel, scopes=("orders:read",))
    for scope in ("orders:write", "orders:read orders:write", "openid orders:read email"):
        await refused(channel, "invalid_scope", token, scope=scope)


@pytest.mark.requirement(37)
async def test_the_audience_is_not_widened(channel: BackChannel) -> None:
    """The ledger API is registered, and not for this app; the first API is where the token came from."""
    token = await token_of(channel)
    for target in (LEDGER, made.API, made.ISSUER, "https://evil.example.com", "app_ledger"):
        for where in ("resource", "audience"):
            await refused(channel, "invalid_target", token, None, **{where: target})


async def test_an_audience_that_says_two_things_is_refused(channel: BackChannel) -> None:
    await change(channel, orders(), exchange=ExchangePolicy(apis=(BILLING, LEDGER)))
    await refused(channel, "invalid_target", await token_of(channel), resource=BILLING, audience=LEDGER)


async def test_the_subject_is_the_tokens_and_no_parameter_changes_it(channel: BackChannel) -> None:
    await channel.person(id="usr_eve", email="eve@example.com", name="Eve")
    claims = await exchanged(
        channel, await token_of(channel), subject="usr_eve", sub="usr_eve", requested_subject="usr_eve"
    )
    assert (claims["sub"], claims["act"]) == ("usr_ada", {"sub": "app_orders"})


@pytest.mark.requirement(67)
async def test_a_token_for_another_api_is_not_exchanged(channel: BackChannel) -> None:
    """The app of the billing API found a token for the orders API, in a log."""
    await refused(channel, "invalid_request", await token_of(channel), billing())
    await refused(
        channel,
        "invalid_request",
        await own_token(channel, billing(), BILLING),
        billing(),
        actor_token=await token_of(channel),
    )


@pytest.mark.requirement(37)
async def test_an_api_takes_no_token_of_a_public_app_to_another_api(channel: BackChannel) -> None:
    """The app's name is known to everybody, and its access token to each API that it calls: here it is even the app of the API that the
    token is for. Its refresh token is known to it alone."""
    public = made.public(
        id="app_orders",
        name="orders",
        grant_types=("authorization_code", "refresh_token", EXCHANGE),
        access={made.API: ("orders:read",), BILLING: ("orders:read",)},
        exchange=ExchangePolicy(apis=(BILLING,)),
    )
    await channel.put(public)
    await refused(channel, "invalid_request", await token_of(channel), public)
    raw, _ = await channel.family(client_id="app_orders", session_id=None)
    own = await channel.exchange(
        {"grant_type": "refresh_token", "refresh_token": raw, "client_id": public.id}
    )
    assert isinstance(own, TokenResponse), own
    await refused(channel, "invalid_request", own.access_token, public)
    await refused(channel, "invalid_request", own.access_token, public, actor_token=own.access_token)
    assert own.refresh_token is not None
    await refused(
        channel,
        "invalid_request",
        own.refresh_token,
        public,
        actor_token=own.access_token,
        scope="orders:read",
    )
    assert (await exchanged(channel, own.refresh_token, public))["aud"] == BILLING


@pytest.mark.requirement(39)
async def test_an_id_token_is_not_exchanged_as_an_access_token(channel: BackChannel) -> None:
    raw, _ = await channel.family(session_id=None)
    answer = await channel.refresh(raw, web())
    assert isinstance(answer, TokenResponse)
    assert answer.id_token is not None
    for named in (None, JWT, ID_TOKEN):
        form = {} if named is None else {"subject_token_type": named}
        await refused(channel, "invalid_request", answer.id_token, web(), **form)
    # nor does it name an actor
    await refused(channel, "invalid_request", answer.access_token, actor_token=answer.id_token)


async def test_expired_and_foreign_tokens_are_refused(channel: BackChannel) -> None:
    token = await token_of(channel)
    for bad in ("", "a.b.c", "dw_rt_nonsense", token[:-2], "dw_rt_" + "a" * 120):
        await refused(channel, "invalid_request", bad)
    channel.clock.time += 300
    await refused(channel, "invalid_request", token)
    acting = await own_token(channel, orders(), BILLING)
    channel.clock.time += 300
    await refused(channel, "invalid_request", await token_of(channel), actor_token=acting)


async def test_a_revoked_token_is_refused_and_so_is_one_of_a_signed_out_session(channel: BackChannel) -> None:
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    session = await channel.session(ada)
    token = await token_of(channel, session_id=session.id)
    claims = await exchanged(channel, token)
    now = channel.clock.time
    assert await channel.store.commit(*await channel.revoker.session(session, now=now, reason="signed_out"))
    assert not await lives(channel, claims)
    await refused(channel, "invalid_request", token)
    other = await token_of(channel)
    disabled = structs.replace(ada, disabled_at=now)
    assert await channel.store.commit(channel.store.accounts.replace(disabled, old=ada))
    await refused(channel, "invalid_request", other)


async def test_a_chain_with_an_actor_who_is_disabled_ends(channel: BackChannel) -> None:
    """Eve acts for Ada, and the billing service for both. When Eve goes, both tokens go; nothing is exchanged for either."""
    eve = await channel.person(id="usr_eve", email="eve@example.com", name="Eve")
    acting = await token_of(channel, account_id="usr_eve")
    first = await exchange(channel, await token_of(channel), actor_token=acting)
    assert isinstance(first, TokenResponse), first
    second = await exchanged(channel, first.access_token, billing())
    assert second["act"] == {"sub": "app_billing", "act": {"sub": "usr_eve"}}
    now = channel.clock.time
    gone = structs.replace(eve, disabled_at=now)
    assert await channel.store.commit(
        channel.store.accounts.replace(gone, old=eve),
        *await channel.revoker.account("usr_eve", now=now, reason="account_disabled", sub_entry=True),
    )
    for claims in (channel.claims(first.access_token), second):
        assert not await lives(channel, claims)
    await refused(channel, "invalid_request", first.access_token, billing())


@pytest.mark.parametrize("engine", POSTGRES_IN_SOAK)
async def test_a_token_exchanged_for_that_of_a_key_ends_when_the_key_is_cut(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A role allows less, so that tokens of keys begin anew. What rests on the old beginning ends then; nothing would find it later, not even
    the end of the key. Keys for another API, and what rests on a sign-in, stay."""
    path = tmp_path / "d.db" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    async with back_channel(path) as channel:
        await furnish(channel)
        ada, now = await channel.store.accounts.get("usr_ada"), channel.clock.time
        assert ada is not None
        exchanged_for: list[dict[str, Any]] = []
        keys = [await key_of(channel, ada), await key_of(channel, ada, audience=BILLING)]
        for key, app in zip(keys, (orders(), billing()), strict=True):
            made_from = await by_key(channel, key.text.reveal())
            assert isinstance(made_from, TokenResponse), made_from
            exchanged_for.append(await exchanged(channel, made_from.access_token, app))
        of_sign_in = await exchanged(channel, await token_of(channel))
        assert await channel.store.commit(channel.revoker.cut_at_api(made.API, now=now))
        first, second = exchanged_for
        assert not await lives(channel, first)
        assert await lives(channel, second)
        assert await lives(channel, of_sign_in)


@pytest.mark.parametrize("engine", POSTGRES_IN_SOAK)
async def test_an_exchange_at_the_moment_of_an_end_leaves_no_living_token(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two processes: one exchanges, and exchanges the result, while the other ends the sign-in. Whatever was answered is revoked after."""
    path = tmp_path / "d.db" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    async with back_channel(path) as one, back_channel(path) as two:
        await furnish(one)
        await two.config.refresh()
        for number in range(12):
            raw, grant = await one.family(session_id=None)
            answer = await one.refresh(raw, web())
            assert isinstance(answer, TokenResponse)
            got: list[str] = []

            async def exchanging(token: str = answer.access_token, got: list[str] = got) -> None:
                first = await exchange(one, token)
                if isinstance(first, TokenResponse):
                    got.append(first.access_token)
                    second = await exchange(two, first.access_token, billing())
                    if isinstance(second, TokenResponse):
                        got.append(second.access_token)

            async def ending(grant: Grant = grant) -> None:
                now = two.clock.time
                assert await two.store.commit(*two.revoker.grant(grant, now=now, reason="revoked"))

            both = (exchanging(), exchanging(), ending())
            await asyncio.gather(*(both if number % 2 else both[::-1]))
            for token in got:
                assert not await lives(one, one.claims(token))
                assert not await lives(two, two.claims(token))
            await refused(one, "invalid_request", answer.access_token)
