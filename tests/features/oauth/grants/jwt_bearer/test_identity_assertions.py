"""Identity assertions (ID-JAG): a company's provider lets an app act for a person who is connected with it, within their roles here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.client import Client
from doorward.core.model.trusted_issuer import JWT_BEARER
from doorward.features.admin import build
from doorward.features.oauth.revocation.build import revocation
from doorward.features.oauth.tokens.rules import id_jag
from doorward.features.sessions.rules import bounds
from doorward_verify.jws import sign
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.jwt_bearer.bearing import SECRETS, Bearing, claims_of, opened, registered
from tests.features.oauth.token.exchange import given, refused

pytestmark = pytest.mark.anyio
AGENT = Client(
    id="",
    name="agent",
    auth_method="client_secret_basic",
    created_at=0,
    grant_types=(JWT_BEARER,),
    id_token_signed_alg="ES256",
)


@pytest.fixture
async def idp() -> AsyncGenerator[Bearing]:
    """GitHub's stand-in as a company's provider, an app with a secret, and Ada, who is connected and may read orders."""
    async with opened() as bearing:
        await bearing.trust(bearing.github, "custom", id_jag=True)
        bearing.app = await registered(bearing, AGENT, kind="service", access=["orders"])
        role = bearing.services.config.current().roles["reader"]
        await bearing.person(bearing.github.issuer, "p-1", roles=(role.held_as,))
        yield bearing


def jag(bearing: Bearing, typ: str = id_jag.TYP, **other: Any) -> str:
    issuer = bearing.github
    claims = id_jag.claims(
        issuer=issuer.issuer,
        subject="p-1",
        audience=made.ISSUER,
        client_id=bearing.app.id,
        unique=other.pop("jti", None) or bearing.services.random.token(16),
        now=issuer.now,
        ttl=300,
        resource=made.API,
        scopes=("orders:read", "orders:write"),
    )
    merged = {name: value for name, value in (claims | other).items() if value is not None}
    return sign(msgspec.json.encode(merged), issuer.key, typ=typ)


async def test_an_app_acts_for_the_person_within_their_roles(idp: Bearing) -> None:
    answer = given(await idp.ask(jag(idp), as_=idp.app))
    claims = claims_of(answer)
    issuer = await idp.admin.get(OPERATOR, "custom")
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("usr_ada", idp.app.id, made.API)
    assert claims["jti"].startswith(f"{issuer.grant_id}.")
    assert (claims["scope"], claims["roles"]) == ("orders:read", ["reader"])
    assert "sid" not in claims
    (event,) = await idp.audited("assertion.accepted")
    assert (event.account_id, event.client_id) == ("usr_ada", idp.app.id)


async def test_it_counts_once_whatever_the_issuer_allows_to_workloads(idp: Bearing) -> None:
    await idp.admin.update(OPERATOR, "custom", {"single_use": False})
    token = jag(idp)
    given(await idp.ask(token, as_=idp.app))
    assert "used before" in refused(await idp.ask(token, as_=idp.app), "invalid_grant").reason


@pytest.mark.requirement(89)
@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": "p-2"}, "nobody here is connected"),
        # R89: an address finds nobody
        (
            {"sub": "ada@example.com", "email": "ada@example.com", "email_verified": True},
            "nobody here is connected",
        ),
        ({"sub": "usr_ada"}, "nobody here is connected"),
        ({"client_id": "app_other"}, "its client_id is not"),
        ({"client_id": None}, "missing"),
        ({"iat": None}, "missing"),
        ({"aud": "https://other.example"}, "aud is"),
        ({"aud": [made.ISSUER, "https://other.example"]}, "aud is"),
        ({"exp": 1_799_999_999}, "expired"),
    ],
)
async def test_another_subject_app_audience_or_time_is_refused(
    idp: Bearing, claims: dict[str, Any], said: str
) -> None:
    assert said in refused(await idp.ask(jag(idp, **claims), as_=idp.app), "invalid_grant").reason


async def test_the_type_decides_and_no_other_token_is_one(idp: Bearing) -> None:
    for typ in ("JWT", "at+jwt", "jwt"):
        refused(await idp.ask(jag(idp, typ=typ), as_=idp.app), "invalid_grant")
    await idp.admin.update(OPERATOR, "custom", {"id_jag": False})
    error = refused(await idp.ask(jag(idp), as_=idp.app), "invalid_grant")
    assert "--id-jag" in error.fix


async def test_a_request_without_client_authentication_is_refused(idp: Bearing) -> None:
    refused(await idp.ask(jag(idp)), "invalid_client")
    public = await registered(
        idp, structs.replace(AGENT, name="public", auth_method="none"), kind="service", access=["orders"]
    )
    refused(await idp.ask(jag(idp, client_id=public.id), as_=public), "invalid_client")


async def test_a_disabled_person_gets_nothing_and_the_token_of_before_ends(idp: Bearing) -> None:
    answer = given(await idp.ask(jag(idp), as_=idp.app))
    await idp.services.get(build.people).disable(OPERATOR, "ada@example.com")
    assert await idp.revoked(answer) == "sub"
    assert "is disabled" in refused(await idp.ask(jag(idp), as_=idp.app), "invalid_grant").reason


@pytest.mark.requirement(85)
async def test_an_assertion_is_no_way_around_a_second_factor(idp: Bearing) -> None:
    """Demanded by an app, a role, an operator, or because the person has one: then the provider has to have seen two."""
    two = ("pwd", "otp", "mfa")
    await idp.services.get(build.roles).update(OPERATOR, "reader", second_factor=True)
    refusal = refused(await idp.ask(jag(idp, amr=["pwd"]), as_=idp.app), "invalid_grant")
    assert "role" in refusal.reason
    given(await idp.ask(jag(idp, amr=two), as_=idp.app))
    await idp.services.get(build.roles).update(OPERATOR, "reader", second_factor=False)
    given(await idp.ask(jag(idp), as_=idp.app))
    await idp.services.get(build.factors).require(OPERATOR, "ada@example.com")
    assert "operator" in refused(await idp.ask(jag(idp), as_=idp.app), "invalid_grant").reason
    given(await idp.ask(jag(idp, amr=two), as_=idp.app))
    totp = EnrolledFactor("fac_totp", "usr_ada", "totp", idp.clock.time, sealed=b"seed")
    assert await idp.store.commit(idp.store.accounts.add_factor(totp))
    assert "enrolled" in refused(await idp.ask(jag(idp), as_=idp.app), "invalid_grant").reason


async def test_a_role_that_was_taken_away_is_missing_at_once(idp: Bearing) -> None:
    await idp.services.get(build.people).revoke_role(OPERATOR, "ada@example.com", "reader")
    refused(await idp.ask(jag(idp), as_=idp.app), "invalid_scope")


@pytest.mark.requirement(93)
async def test_an_app_that_revokes_too_much_ends_its_own_tokens_alone(
    idp: Bearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tokens of an issuer begin with one id: an app must not be able to end those of others by it (R93)."""
    monkeypatch.setattr(bounds, "OF_APP", 3)
    other = await registered(idp, structs.replace(AGENT, name="other"), kind="service", access=["orders"])
    kept = given(await idp.ask(jag(idp, client_id=other.id), as_=other))
    idp.clock.time += 2
    tokens = [given(await idp.ask(jag(idp), as_=idp.app)) for _ in range(5)]
    service = idp.services.get(revocation)
    for answer in tokens:
        form = {"token": answer.access_token, "client_id": idp.app.id, "client_secret": SECRETS[idp.app.id]}
        request = structs.replace(made.token_request(form), now=idp.clock.time)
        assert await service.revoke(request) is None
    assert {await idp.revoked(answer) for answer in tokens} <= {"jti", "client"}
    assert None not in [await idp.revoked(answer) for answer in tokens]
    assert await idp.revoked(kept) is None
    _, entries = await idp.store.revocations.live(idp.clock.time)
    assert len(entries) == 4
