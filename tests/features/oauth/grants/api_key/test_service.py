"""API key grant: one POST with the key gives a token of minutes, cut to what the owner may do now."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.features.api_keys.build import last_use, own_keys
from doorward.features.api_keys.making import NewApiKey
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.api_keys.keyring import DAY, draft, exchange, key_of, key_of_app, role
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, basic, page

pytestmark = pytest.mark.anyio


def given(answer: TokenResponse | OAuthError) -> TokenResponse:
    assert isinstance(answer, TokenResponse), answer
    return answer


def refused(answer: TokenResponse | OAuthError, code: str = "invalid_grant") -> OAuthError:
    assert isinstance(answer, OAuthError), answer
    assert answer.code == code
    return answer


async def test_a_persons_key_gives_a_token_for_its_api(
    channel: BackChannel, channel_account: Account
) -> None:
    new = await key_of(channel, channel_account)
    answer = given(await exchange(channel, new.text.reveal()))
    claims = channel.claims(answer.access_token)
    assert claims["sub"] == "usr_ada"
    assert claims["aud"] == made.API
    assert claims["client_id"] == new.key.id
    assert claims["jti"].partition(".")[0] == new.key.id
    assert claims["permissions"] == ["orders:read"]
    assert claims["roles"] == ["reader"]
    assert claims["exp"] - claims["iat"] == answer.expires_in == 300
    # no sign-in stands behind it: an API that asks for a level or a recent sign-in refuses it
    assert not {"acr", "amr", "auth_time", "sid"} & claims.keys()
    assert answer.refresh_token is None
    assert answer.id_token is None


async def test_an_apps_key_acts_as_the_app(channel: BackChannel) -> None:
    new = await key_of_app(channel, scopes=("orders:read", "orders:write"))
    claims = channel.claims(given(await exchange(channel, new.text.reveal())).access_token)
    assert claims["sub"] == claims["client_id"] == "app_web"
    assert claims["permissions"] == ["orders:read", "orders:write"]
    assert claims["roles"] == []


async def test_the_token_lives_no_longer_than_the_key(channel: BackChannel, channel_account: Account) -> None:
    new = await key_of(channel, channel_account, life=3600)
    channel.clock.time += 3500
    assert given(await exchange(channel, new.text.reveal())).expires_in == 100
    channel.clock.time += 100
    assert "expired" in refused(await exchange(channel, new.text.reveal())).reason


async def test_a_key_never_exceeds_its_owner_and_is_cut_at_each_exchange(
    channel: BackChannel, channel_account: Account
) -> None:
    """authorizer#510: a key exceeds no right of its owner."""
    keys = channel.services.get(own_keys)
    more = await keys.create(
        channel_account, draft(scopes=("orders:read", "orders:write")), caller=CALLER, now=channel.clock.time
    )
    assert more == "scopes"
    await role(channel, "orders:read", "orders:write")
    new = await key_of(channel, channel_account, scopes=("orders:read", "orders:write"))
    text = new.text.reveal()
    assert given(await exchange(channel, text)).scope == "orders:read orders:write"
    await role(channel, "orders:write")
    assert given(await exchange(channel, text)).scope == "orders:write"
    await role(channel)
    assert "may do none" in refused(await exchange(channel, text)).reason


async def test_an_apps_key_never_exceeds_the_app(channel: BackChannel) -> None:
    new = await key_of_app(channel, scopes=("orders:read", "orders:write"))
    await channel.put(made.client(access={made.API: ("orders:read",)}))
    assert given(await exchange(channel, new.text.reveal())).scope == "orders:read"
    await channel.put(made.client(access={}))
    refused(await exchange(channel, new.text.reveal()))


async def test_a_disabled_owners_key_is_refused(channel: BackChannel, channel_account: Account) -> None:
    new = await key_of(channel, channel_account)
    disabled = structs.replace(channel_account, disabled_at=channel.clock.time)
    assert await channel.store.commit(channel.store.accounts.replace(disabled, old=channel_account))
    refused(await exchange(channel, new.text.reveal()))


async def test_scope_narrows_and_never_widens(channel: BackChannel) -> None:
    new = await key_of_app(channel, scopes=("orders:read", "orders:write"))
    text = new.text.reveal()
    assert given(await exchange(channel, text, scope="orders:write")).scope == "orders:write"
    refused(await exchange(channel, text, scope="orders:write orders:delete"), "invalid_scope")
    assert given(await exchange(channel, text, resource=made.API)).scope == "orders:read orders:write"
    refused(await exchange(channel, text, resource="https://elsewhere.example"), "invalid_target")


async def test_both_secrets_work_during_the_overlap_and_the_old_ones_token_ends_with_it(
    channel: BackChannel, channel_account: Account
) -> None:
    keys = channel.services.get(own_keys)
    old = await key_of(channel, channel_account)
    new = await keys.rotate(channel_account, old.key.id, overlap=3600, caller=CALLER, now=channel.clock.time)
    assert isinstance(new, NewApiKey)
    channel.clock.time += 3500
    assert given(await exchange(channel, old.text.reveal())).expires_in == 100
    assert given(await exchange(channel, new.text.reveal())).expires_in == 300
    newest = await keys.rotate(
        channel_account, old.key.id, overlap=3600, caller=CALLER, now=channel.clock.time
    )
    assert isinstance(newest, NewApiKey)
    refused(await exchange(channel, old.text.reveal()))
    channel.clock.time += 3600
    refused(await exchange(channel, new.text.reveal()))
    given(await exchange(channel, newest.text.reveal()))


async def test_a_renewal_without_overlap_ends_the_tokens_too(
    channel: BackChannel, channel_account: Account
) -> None:
    keys = channel.services.get(own_keys)
    old = await key_of(channel, channel_account)
    token = channel.claims(given(await exchange(channel, old.text.reveal())).access_token)
    new = await keys.rotate(channel_account, old.key.id, overlap=0, caller=CALLER, now=channel.clock.time)
    assert isinstance(new, NewApiKey)
    view = await channel.view.fresh(channel.clock.time)
    assert view.revoked(token) == "grant"
    refused(await exchange(channel, old.text.reveal()))
    fresh = channel.claims(given(await exchange(channel, new.text.reveal())).access_token)
    assert (await channel.view.fresh(channel.clock.time)).revoked(fresh) is None


async def test_a_key_works_from_its_networks_only(channel: BackChannel, channel_account: Account) -> None:
    new = await key_of(channel, channel_account, networks=("192.0.2.0/24", "2001:db8::/32"))
    text = new.text.reveal()
    given(await exchange(channel, text))
    given(await exchange(channel, text, caller=Caller("::ffff:192.0.2.9")))
    refused(await exchange(channel, text, caller=Caller("")))
    assert await channel.audited("api_key.used_elsewhere") == 0, "nobody was anywhere"
    for address in ("198.51.100.1", "unix"):
        refused(await exchange(channel, text, caller=Caller(address)))
    assert await channel.audited("api_key.used_elsewhere") == 1, "once an hour: a loop must not fill the log"
    # nobody but the API itself is believed about the address of somebody else
    refused(
        await exchange(channel, text, caller=Caller("198.51.100.1"), caller_address="192.0.2.1"),
        "invalid_request",
    )


async def test_an_api_exchanges_the_keys_of_its_callers_and_says_where_they_are(
    channel: BackChannel, channel_account: Account
) -> None:
    await channel.put(made.client(id="app_orders", name="orders"), made.client())
    new = await key_of(channel, channel_account, networks=("192.0.2.0/24",))
    text, api = new.text.reveal(), basic(made.client(id="app_orders"))
    far = Caller("203.0.113.9")
    answer = await exchange(channel, text, authorization=api, caller=far, caller_address="192.0.2.7")
    assert channel.claims(given(answer).access_token)["client_id"] == new.key.id
    refused(await exchange(channel, text, authorization=api, caller=far, caller_address="198.51.100.1"))
    refused(
        await exchange(
            channel,
            text,
            authorization=api,
            resource="https://elsewhere.example",
            caller_address="198.51.100.1",
        ),
        "invalid_target",
    )
    assert await channel.audited("api_key.used_elsewhere") == 1
    # another app, a public one, and a wrong secret
    other = basic(made.client())
    refused(await exchange(channel, text, authorization=other), "unauthorized_client")
    wrong = await exchange(channel, text, authorization=basic(made.client(id="app_nobody")))
    refused(wrong, "invalid_client")
    refused(
        await exchange(channel, text, authorization=api, resource="https://elsewhere.example"),
        "invalid_target",
    )


async def test_what_is_no_key_is_refused_and_nothing_is_looked_up(channel: BackChannel) -> None:
    for text in (
        "x",
        "dwk_",
        "dw_rt_" + "a" * 80,
        "dwk_" + "0" * 32 + "_" + "A" * 49,
        "ü" * 86,
        "9" * 100_000,
    ):
        refused(await exchange(channel, text))
    refused(await channel.exchange({"grant_type": "urn:doorward:grant-type:api-key"}), "invalid_request")


async def test_a_key_that_is_used_often_is_written_once_a_minute(
    channel: BackChannel, channel_account: Account
) -> None:
    new = await key_of(channel, channel_account)
    uses = channel.services.get(last_use)
    first = channel.clock.time
    for _ in range(50):
        given(await exchange(channel, new.text.reveal()))
    assert await uses.flush(channel.services.clock) == 1
    channel.clock.time += 30
    given(await exchange(channel, new.text.reveal()))
    assert await uses.flush(channel.services.clock) == 0
    found = await channel.store.api_keys.get(new.key.id)
    assert found is not None
    assert found[0].used_at == first
    channel.clock.time += 30
    given(await exchange(channel, new.text.reveal()))
    assert await uses.flush(channel.services.clock) == 1


async def test_every_key_of_an_owner_ends_with_everything_else_of_theirs(
    channel: BackChannel, channel_account: Account
) -> None:
    new = await key_of(channel, channel_account)
    token = channel.claims(given(await exchange(channel, new.text.reveal())).access_token)
    writes = await channel.revoker.account(
        "usr_ada", now=channel.clock.time, reason="password_reset", sub_entry=False
    )
    assert await channel.store.commit(*writes)
    assert (await channel.view.fresh(channel.clock.time)).revoked(token) == "grant"
    refused(await exchange(channel, new.text.reveal()))


async def test_a_deleted_apps_keys_end(channel: BackChannel) -> None:
    new = await key_of_app(channel)
    token = channel.claims(given(await exchange(channel, new.text.reveal())).access_token)
    writes = channel.revoker.client("app_web", now=channel.clock.time, reason="app_deleted")
    assert await channel.store.commit(*writes, channel.store.registry.delete_client("app_web"))
    await channel.config.refresh()
    assert (await channel.view.fresh(channel.clock.time)).revoked(token) is not None
    refused(await exchange(channel, new.text.reveal()))


@pytest.mark.requirement(56)
async def test_introspection_answers_the_api_of_a_key_and_nobody_else(
    channel: BackChannel, channel_account: Account
) -> None:
    await channel.put(
        made.client(id="app_orders", name="orders"), made.client(id="app_other", name="other"), made.client()
    )
    new = await key_of(channel, channel_account)
    near = await key_of(channel, channel_account, name="near", networks=("192.0.2.0/24",))

    async def ask(text: str, asker: str = "app_orders", **more: str) -> object:
        authorization = basic(made.client(id=asker))
        return await channel.introspect({"token": text, **more}, authorization=authorization, caller=CALLER)

    answer = await ask(new.text.reveal())
    assert answer == {
        "active": True,
        "token_type": "Bearer",
        "iss": made.ISSUER,
        "sub": "usr_ada",
        "aud": made.API,
        "client_id": new.key.id,
        "iat": new.key.created_at,
        "exp": new.key.created_at + 90 * DAY,
        "jti": new.key.id,
        "scope": "orders:read",
        "roles": ("reader",),
        "permissions": ("orders:read",),
    }
    for asker in ("app_other", "app_web"):
        assert await ask(new.text.reveal(), asker) == {"active": False}
    assert await ask(near.text.reveal()) == {"active": False}
    assert await ask(near.text.reveal(), caller_address="198.51.100.1") == {"active": False}
    found = await ask(near.text.reveal(), caller_address="192.0.2.1")
    assert isinstance(found, dict)
    assert found["active"] is True
    assert await channel.services.get(own_keys).end(
        channel_account, new.key.id, caller=CALLER, now=channel.clock.time
    )
    assert await ask(new.text.reveal()) == {"active": False}


@pytest.mark.requirement(54)
async def test_no_app_revokes_a_token_of_a_persons_key(
    channel: BackChannel, channel_account: Account
) -> None:
    new = await key_of(channel, channel_account)
    token = given(await exchange(channel, new.text.reveal())).access_token
    error = await channel.revoke({"token": token}, authorization=basic(made.client()), caller=CALLER)
    assert isinstance(error, OAuthError)
    # RFC 7009 §2.2: what is no token of this server is answered like one that is revoked
    assert (
        await channel.revoke({"token": new.text.reveal()}, authorization=basic(made.client()), caller=CALLER)
        is None
    )
    given(await exchange(channel, new.text.reveal()))
    assert (await channel.view.fresh(channel.clock.time)).revoked(channel.claims(token)) is None


@pytest.mark.requirement(98)
async def test_the_feed_tells_of_an_ended_key_without_its_id(
    channel: BackChannel, channel_account: Account
) -> None:
    new = await key_of(channel, channel_account)
    keys = channel.services.get(own_keys)
    assert await keys.end(channel_account, new.key.id, caller=CALLER, now=channel.clock.time)
    told = await page(channel.feed)
    assert [entry["kind"] for entry in told["entries"]] == ["grant"]
    assert new.key.id not in str(told)
    assert "usr_ada" not in str(told)
