"""Introspection: claims for the token's app and API, and only "inactive" for tokens that are not valid."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.revocation import Revocation
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.revocations.view_service import ServerRevocationView
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic

pytestmark = pytest.mark.anyio
INACTIVE = {"active": False}


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        await made_channel.person()
        await made_channel.put(
            made.client(id="app_orders", name="orders"), made.client(id="app_other", name="other")
        )
        yield made_channel


async def ask(channel: BackChannel, token: str, asker: str = "app_web") -> object:
    return await channel.introspect(
        {"token": token}, authorization=basic(made.client(id=asker)), caller=CALLER
    )


async def both(channel: BackChannel) -> tuple[str, str]:
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    return answer.access_token, answer.refresh_token or ""


@pytest.mark.requirement(56)
async def test_only_the_app_and_the_api_of_a_token_get_its_claims(
    channel: BackChannel,
) -> None:
    access, refresh = await both(channel)
    for asker in ("app_web", "app_orders"):
        answer = await ask(channel, access, asker)
        assert answer == {"active": True, "token_type": "Bearer", **channel.claims(access)}
    assert await ask(channel, access, "app_other") == INACTIVE
    mine = await ask(channel, refresh)
    assert isinstance(mine, dict)
    assert mine["active"] is True
    assert mine["scope"] == "openid email orders:read"
    assert await ask(channel, refresh, "app_orders") == INACTIVE


@pytest.mark.requirement(56)
async def test_introspection_without_a_credential_is_refused(channel: BackChannel) -> None:
    access, _ = await both(channel)
    for form in ({"token": access}, {"token": access, "client_id": "app_spa"}):
        answer = await channel.introspect(form, authorization=None, caller=CALLER)
        assert isinstance(answer, OAuthError)
        assert answer.code == "invalid_client"
    answer = await channel.introspect({}, authorization=basic(made.client()), caller=CALLER)
    assert isinstance(answer, OAuthError)
    assert answer.code == "invalid_request"


@pytest.mark.requirement(56, 39)
async def test_an_invalid_token_is_inactive_without_details(channel: BackChannel) -> None:
    access, refresh = await both(channel)
    answer = await channel.refresh(refresh)
    assert isinstance(answer, TokenResponse)
    head, body, signature = access.split(".")
    other_key = channel.signer.sign(channel.claims(access), typ="at+jwt", alg="Ed25519").split(".")[2]
    for bad in (
        answer.id_token or "",
        "dw_rt_" + "x" * 43,
        "x",
        "a.b.c",
        f"{head}.{body}.",
        f"{head}.{body}.{other_key}",
        f"{head}.{body[:-4]}.{signature}",
        "é.é.é",
        "x" * 60_000,
    ):
        assert await ask(channel, bad) == INACTIVE
    channel.clock.time += 300
    assert await ask(channel, access) == INACTIVE


@pytest.mark.requirement(58)
async def test_a_token_revoked_by_another_process_is_inactive_at_the_next_introspection(
    tmp_path: object,
) -> None:
    path = f"{tmp_path}/d.db"
    async with back_channel(path) as one, back_channel(path) as two:
        await one.person()
        raw, grant = await one.family()
        answer = await one.refresh(raw)
        assert isinstance(answer, TokenResponse)
        assert await ask(one, answer.access_token) != INACTIVE
        assert await two.store.commit(*two.revoker.grant(grant, now=two.clock.time, reason="revoked"))
        assert await ask(one, answer.access_token) == INACTIVE


async def test_tokens_of_a_disabled_person_are_inactive(channel: BackChannel) -> None:
    access, refresh = await both(channel)
    writes = await channel.revoker.account(
        "usr_ada", now=channel.clock.time, reason="account_disabled", sub_entry=True
    )
    assert await channel.store.commit(*writes)
    assert await ask(channel, access) == await ask(channel, refresh) == INACTIVE


async def test_a_refresh_token_of_a_disabled_person_is_inactive_before_the_grants_end(
    channel: BackChannel,
) -> None:
    _, refresh = await both(channel)
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    disabled = structs.replace(ada, disabled_at=channel.clock.time)
    assert await channel.store.commit(channel.store.accounts.replace(disabled))
    assert await ask(channel, refresh) == INACTIVE


async def test_a_database_restored_from_a_backup_is_read_again(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    async with back_channel(old) as one, back_channel(new) as other:
        for name in ("grt_a", "grt_b"):
            entry = Revocation("grant", name, made.NOW, made.NOW + 400)
            assert await one.store.commit(one.store.revocations.insert(entry))
        view = ServerRevocationView(store=one.store)
        assert (await view.fresh(made.NOW)).seq == 2
        entry = Revocation("grant", "grt_c", made.NOW, made.NOW + 400)
        assert await other.store.commit(other.store.revocations.insert(entry))
        view.store = other.store
        anew = await view.fresh(made.NOW)
        claims = {"sub": "usr_x", "client_id": "app_x", "iat": made.NOW}
        assert anew.revoked({**claims, "jti": "grt_c.x"}) == "grant"
        assert anew.revoked({**claims, "jti": "grt_a.x"}) is None
