"""Token service: the right tokens for the right app, and for no other caller."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.token.rules import TokenResponse
from doorward_verify import jws
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel
from tests.features.oauth.token.exchange import given, redemption, refused

pytestmark = pytest.mark.anyio


async def test_a_code_is_exchanged_for_access_id_and_refresh_tokens(channel: BackChannel) -> None:
    await channel.person()
    answer = given(await channel.ask(redemption(await channel.code())))
    access = channel.claims(answer.access_token)
    assert access["iss"] == made.ISSUER
    assert access["sub"] == "usr_ada"
    assert access["aud"] == made.API
    assert access["client_id"] == "app_web"
    assert access["scope"] == answer.scope == "openid email orders:read"
    assert access["permissions"] == ["orders:read"]
    assert access["roles"] == ["reader"]
    assert access["exp"] - access["iat"] == answer.expires_in == 300
    assert access["sid"] == "ses_one"
    assert access["acr"] == "urn:doorward:aal1"
    assert access["amr"] == ["pwd"]
    assert answer.id_token is not None
    person = channel.claims(answer.id_token, "JWT")
    assert person["aud"] == "app_web"
    assert person["nonce"] == "n-0"
    assert person["email"] == "ada@example.com"
    assert person["email_verified"] is True
    assert "name" not in person
    half = sha256(answer.access_token.encode()).digest()[:16]
    assert person["at_hash"] == b64encode(half, b"-_").rstrip(b"=").decode()
    assert answer.refresh_token is not None
    assert answer.refresh_token.startswith("dw_rt_")
    assert await channel.audited("code.redeemed") == 1


@pytest.mark.requirement(15)
async def test_a_code_sent_64_times_concurrently_is_redeemed_once_and_the_reuse_ends_the_grant(
    channel: BackChannel,
) -> None:
    await channel.person()
    raw = await channel.code()
    answers = await asyncio.gather(*(channel.ask(redemption(raw)) for _ in range(64)))
    good = [answer for answer in answers if isinstance(answer, TokenResponse)]
    assert len(good) == 1
    assert {answer.code for answer in answers if isinstance(answer, OAuthError)} == {"invalid_grant"}
    assert good[0].refresh_token is not None
    refused(await channel.refresh(good[0].refresh_token), "invalid_grant")
    view = await channel.view.fresh(channel.clock.time)
    assert view.revoked(channel.claims(good[0].access_token)) == "grant"
    assert await channel.audited("code.redeemed") == 1
    assert await channel.audited("code.reused") >= 1


@pytest.mark.requirement(15)
async def test_a_later_reuse_of_a_code_revokes_its_tokens(channel: BackChannel) -> None:
    await channel.person()
    raw = await channel.code()
    first = given(await channel.ask(redemption(raw)))
    channel.clock.time += 3600
    refused(await channel.ask(redemption(raw)), "invalid_grant")
    assert first.refresh_token is not None
    refused(await channel.refresh(first.refresh_token), "invalid_grant")


@pytest.mark.requirement(15)
async def test_a_code_without_its_verifier_cannot_end_the_grant(
    channel: BackChannel,
) -> None:
    await channel.person()
    raw = await channel.code()
    first = given(await channel.ask(redemption(raw)))
    refused(await channel.ask(redemption(raw, code_verifier="x" * 43)), "invalid_grant")
    assert first.refresh_token is not None
    given(await channel.refresh(first.refresh_token))


@pytest.mark.requirement(16)
@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://app.example.com/other"},
        {"code_verifier": "w" * 43},
        {"code": "dw_ac_" + "x" * 43},
    ],
)
async def test_a_code_is_bound_to_redirect_uri_and_verifier(
    channel: BackChannel, wrong: dict[str, str]
) -> None:
    await channel.person()
    refused(await channel.ask(redemption(await channel.code(), **wrong)), "invalid_grant")


@pytest.mark.requirement(16)
async def test_a_code_is_bound_to_its_app_and_lives_60_seconds(channel: BackChannel) -> None:
    await channel.person()
    await channel.put(made.client(id="app_other", name="other"))
    raw = await channel.code(code={"created_at": made.NOW, "expires_at": made.NOW + 60})
    refused(await channel.ask(redemption(raw), made.client(id="app_other")), "invalid_grant")
    channel.clock.time += 60
    refused(await channel.ask(redemption(raw)), "invalid_grant")
    channel.clock.time -= 1
    given(await channel.ask(redemption(raw)))


@pytest.mark.requirement(5)
async def test_a_verifier_for_a_code_without_a_challenge_is_refused(channel: BackChannel) -> None:
    await channel.person()
    raw = await channel.code(code={"code_challenge": None})
    refused(await channel.ask(redemption(raw)), "invalid_grant")
    form = redemption(raw)
    del form["code_verifier"]
    given(await channel.ask(form))


@pytest.mark.requirement(72)
async def test_neither_code_nor_refresh_token_works_for_a_disabled_or_deleted_person(
    channel: BackChannel,
) -> None:
    account = await channel.person(disabled_at=made.NOW)
    refused(await channel.ask(redemption(await channel.code())), "invalid_grant")
    raw, _ = await channel.family()
    refused(await channel.refresh(raw), "invalid_grant")
    assert await channel.store.commit(channel.store.delete_account(account.id))
    refused(await channel.refresh(raw), "invalid_grant")


async def test_a_code_for_one_resource_is_refused_for_another(channel: BackChannel) -> None:
    await channel.person()
    raw = await channel.code()
    refused(await channel.ask(redemption(raw, resource="https://other.example.com")), "invalid_target")
    given(await channel.ask(redemption(raw, resource=made.API)))


@pytest.mark.requirement(26)
async def test_an_app_acting_for_itself_has_a_subject_that_no_person_can_have(channel: BackChannel) -> None:
    answer = given(
        await channel.ask({"grant_type": "client_credentials", "scope": "orders:read orders:write"})
    )
    said = channel.claims(answer.access_token)
    assert said["sub"] == said["client_id"] == "app_web"
    assert channel.random.new_id("usr").startswith("usr_")
    assert not said["sub"].startswith("usr_")
    assert said["scope"] == answer.scope == "orders:read orders:write"
    assert said["roles"] == []
    assert not {"sid", "auth_time", "acr", "amr"} & said.keys()
    assert answer.refresh_token is None
    assert answer.id_token is None


async def test_an_app_acting_for_itself_gets_no_identity_scope_and_no_unknown_scope(
    channel: BackChannel,
) -> None:
    answer = given(await channel.ask({"grant_type": "client_credentials", "scope": "openid orders:read"}))
    assert answer.scope == "orders:read"
    refused(await channel.ask({"grant_type": "client_credentials", "scope": "orders:rea"}), "invalid_scope")


@pytest.mark.requirement(37)
async def test_an_unknown_resource_is_an_invalid_target(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials", "resource": "https://evil.example.com"}
    refused(await channel.ask(form), "invalid_target")


async def test_each_jti_is_unique_and_starts_with_its_grant(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials"}
    names = [channel.claims(given(await channel.ask(form)).access_token)["jti"] for _ in range(50)]
    assert len(set(names)) == len({name.partition(".")[0] for name in names}) == 50
    assert all(name.startswith("grt_") and name.count(".") == 1 for name in names)


@pytest.mark.requirement(7)
@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer", ""]
)
async def test_the_password_grant_and_other_unlisted_grants_are_refused(
    channel: BackChannel, grant_type: str
) -> None:
    form = {"grant_type": grant_type, "username": "ada", "password": "x"}
    refused(await channel.ask(form), "unsupported_grant_type")


async def test_an_app_can_use_only_its_registered_grants(channel: BackChannel) -> None:
    await channel.put(made.client(grant_types=("authorization_code",)))
    refused(await channel.ask({"grant_type": "client_credentials"}), "unauthorized_client")
    refused(
        await channel.ask({"grant_type": "refresh_token", "refresh_token": "dw_rt_x"}), "unauthorized_client"
    )
    await channel.person()
    assert given(await channel.ask(redemption(await channel.code()))).refresh_token is None


async def test_a_deleted_app_gets_no_tokens(channel: BackChannel) -> None:
    await channel.person()
    raw, _ = await channel.family()
    writes = channel.revoker.client("app_web", now=channel.clock.time, reason="app_deleted")
    assert await channel.store.commit(*writes, channel.store.registry.delete_client("app_web"))
    await channel.config.refresh()
    refused(await channel.refresh(raw), "invalid_client")
    refused(await channel.ask({"grant_type": "client_credentials"}), "invalid_client")


@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
async def test_each_token_is_signed_with_the_algorithm_registered_by_its_reader(
    channel: BackChannel, alg: str
) -> None:
    await channel.person()

    async def algorithms(client: Client, **api: Any) -> tuple[str, str | None, str]:
        found = channel.config.current().apis[made.API]
        await channel.store.commit(channel.store.registry.put_api(structs.replace(found, **api)))
        await channel.put(client)
        answer = given(await channel.ask(redemption(await channel.code())))
        access, identity = (
            jws.parse_header(jws.split(t)[0]) for t in (answer.access_token, answer.id_token or "")
        )
        assert identity.typ == "JWT"
        return access.alg, access.typ, identity.alg

    assert await algorithms(made.client(id_token_signed_alg=alg)) == ("ES256", "at+jwt", alg)
    # an app from an earlier version keeps the algorithm of both, until the API names the one it reads
    both = made.client(id_token_signed_alg=alg, access_token_signed_alg=alg)
    assert await algorithms(both) == (alg, "at+jwt", alg)
    assert await algorithms(both, signing_alg="Ed25519", token_type="JWT") == ("Ed25519", "JWT", alg)


@pytest.mark.requirement(17)
async def test_codes_refresh_tokens_and_secrets_are_not_stored_in_plain_text(tmp_path: Any) -> None:
    async with back_channel(tmp_path / "d.db") as channel:
        await channel.person()
        raw = await channel.code()
        first = given(await channel.ask(redemption(raw)))
        second = given(await channel.refresh(first.refresh_token or ""))
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (raw, first.refresh_token, second.refresh_token, made.SECRET, first.access_token):
        assert secret
        assert secret.encode() not in held
        assert secret[6:].encode() not in held
    assert len(raw.removeprefix("dw_ac_")) == 43


async def test_a_public_app_redeems_with_its_verifier_only(channel: BackChannel) -> None:
    await channel.person()
    raw = await channel.code(client_id="app_spa")
    form = redemption(raw, client_id="app_spa")
    answer = given(await channel.exchange(form, caller=CALLER))
    assert answer.refresh_token is not None
    refused(
        await channel.exchange({"grant_type": "client_credentials", "client_id": "app_spa"}, caller=CALLER),
        "unauthorized_client",
    )


async def test_no_access_token_outlives_its_grant(channel: BackChannel) -> None:
    await channel.person()
    raw, grant = await channel.family(expires_at=made.NOW + 40)
    answer = given(await channel.refresh(raw))
    assert channel.claims(answer.access_token)["exp"] == grant.expires_at
    assert answer.expires_in == 40


async def test_a_redemption_without_a_code_is_an_invalid_request(channel: BackChannel) -> None:
    refused(await channel.ask({"grant_type": "authorization_code"}), "invalid_request")


async def test_a_cached_entitlement_of_an_old_snapshot_is_not_used_under_the_new_one(
    channel: BackChannel,
) -> None:
    form = {"grant_type": "client_credentials", "scope": "orders:write"}
    before = channel.config.current().clients["app_web"]
    given(await channel.ask(form))

    async def late(*args: object, **more: object) -> Client:
        # Authentication took a while: the app object is still that of the older snapshot.
        await channel.put(made.client(access={made.API: ("orders:read",)}))
        return before

    clients = cast("ClientAuthenticator", SimpleNamespace(authenticate=late))
    await structs.replace(channel.tokens, clients=clients).exchange(channel.request(form))
    refused(await channel.ask(form), "invalid_scope")


async def test_a_permission_removed_from_an_app_is_missing_at_its_next_request(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials", "scope": "orders:write"}
    for _ in range(2):
        assert given(await channel.ask(form)).scope == "orders:write"
    await channel.put(made.client(access={made.API: ("orders:read",)}))
    refused(await channel.ask(form), "invalid_scope")
