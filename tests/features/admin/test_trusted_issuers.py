"""Administration of trusted issuers: names, what is refused, and which changes end the tokens issued before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.admin.trusted_issuers import IssuerAdmin
from tests.features.admin.managing import ISSUER, OPERATOR, Desk, opened
from tests.stand_ins.workloads import GitHubActions

pytestmark = pytest.mark.anyio
URL = "https://github.example"
DRAFT = TrustedIssuer(
    id="",
    name="GitHub",
    issuer=URL,
    grant_id="",
    created_at=0,
    preset="github-actions",
    jwks=GitHubActions(origin=URL).jwks(),
)
ROBOT = Client(id="", name="robot", auth_method="none", created_at=0, grant_types=(JWT_BEARER,))
CLAIMS = {"repository_id": "74"}


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    async with opened() as made:
        await made.apis.create(
            OPERATOR,
            "https://api.example.com",
            name="orders",
            permissions=[Permission("orders:read"), Permission("orders:write")],
        )
        await made.apps.create(OPERATOR, ROBOT, kind="service", access=["orders:orders:read"])
        yield made


def issuers(desk: Desk) -> IssuerAdmin:
    return desk.services.get(build.issuers)


async def refusal(call: Any) -> str:
    with pytest.raises(AdminError) as refused:
        await call
    return refused.value.problem.code


async def entries(desk: Desk) -> list[str]:
    _, found = await desk.store.revocations.live(desk.clock.time)
    assert {one.kind for one in found} <= {"grant"}
    return [one.ref for one in found]


async def test_an_issuer_is_found_by_name_id_or_url(desk: Desk) -> None:
    made = await issuers(desk).create(OPERATOR, DRAFT)
    for given in (made.id, URL, "github", "GITHUB"):
        assert await issuers(desk).get(OPERATOR, given) == made
    assert await refusal(issuers(desk).get(OPERATOR, "gitlab")) == "not_found"
    assert list(await issuers(desk).find(OPERATOR)) == [made]


async def test_no_two_issuers_share_a_name_or_url_and_none_is_this_server(desk: Desk) -> None:
    await issuers(desk).create(OPERATOR, DRAFT)
    taken = structs.replace(DRAFT, name="gitHUB", issuer="https://other.example")
    assert await refusal(issuers(desk).create(OPERATOR, taken)) == "issuer_taken"
    same = structs.replace(DRAFT, name="other")
    assert await refusal(issuers(desk).create(OPERATOR, same)) == "issuer_taken"
    own = structs.replace(DRAFT, name="own", issuer=ISSUER)
    assert await refusal(issuers(desk).create(OPERATOR, own)) == "issuer_of_server"


async def test_a_rule_is_refused_that_is_weak_or_beyond_its_app(desk: Desk) -> None:
    await issuers(desk).create(OPERATOR, DRAFT)
    allow = issuers(desk).allow

    async def problem(claims: dict[str, str], app: str = "robot", *access: str) -> str:
        return await refusal(allow(OPERATOR, "GitHub", "deploy", app=app, claims=claims, access=access))

    assert await problem({"repository": "octo-org/octo-repo"}) == "issuer_rule_weak"
    assert await problem(CLAIMS, "nobody") == "not_found"
    assert await problem(CLAIMS, "robot", "orders:orders:write") == "issuer_access_beyond_app"
    plain = structs.replace(
        ROBOT, name="plain", auth_method="client_secret_basic", grant_types=("client_credentials",)
    )
    await desk.apps.create(OPERATOR, plain, kind="service")
    assert await problem(CLAIMS, "plain") == "issuer_app_without_grant"
    assert (await issuers(desk).get(OPERATOR, "GitHub")).rules == ()


async def test_what_narrows_ends_the_tokens_of_before_and_what_widens_does_not(desk: Desk) -> None:
    first = await issuers(desk).create(OPERATOR, DRAFT)
    allowed = await issuers(desk).allow(OPERATOR, "GitHub", "deploy", app="robot", claims=CLAIMS)
    renamed = await issuers(desk).update(OPERATOR, "GitHub", {"name": "Octo", "tolerance": 30})
    assert first.grant_id == allowed.grant_id == renamed.grant_id == first.id
    assert await entries(desk) == []
    replaced = await issuers(desk).allow(
        OPERATOR, "Octo", "deploy", app="robot", claims=CLAIMS, access=["orders:orders:read"]
    )
    keys = await issuers(desk).update(OPERATOR, "Octo", {"jwks": None, "jwks_uri": "https://k.example"})
    off = await issuers(desk).disable(OPERATOR, "Octo")
    on = await issuers(desk).enable(OPERATOR, "Octo")
    gone = await issuers(desk).disallow(OPERATOR, "Octo", "deploy")
    assert on.grant_id == off.grant_id
    await issuers(desk).delete(OPERATOR, "Octo")
    ids = [first.id, replaced.grant_id, keys.grant_id, off.grant_id, gone.grant_id]
    assert await entries(desk) == ids
    assert len(set(ids)) == len(ids)
    assert {one.id for one in (first, replaced, keys, off, on, gone)} == {first.id}


async def test_the_audit_log_has_each_change_and_the_claims_of_a_rule(desk: Desk) -> None:
    made = await issuers(desk).create(OPERATOR, DRAFT)
    await issuers(desk).allow(OPERATOR, "GitHub", "deploy", app="robot", claims=CLAIMS)
    await issuers(desk).delete(OPERATOR, "GitHub")
    kinds = [event.kind for event in await desk.audited() if event.kind.startswith("trusted_issuer.")]
    assert kinds == ["trusted_issuer.created", "trusted_issuer.allowed", "trusted_issuer.deleted"]
    (allowed,) = await desk.audited("trusted_issuer.allowed")
    assert allowed.detail["issuer"] == made.id
    assert allowed.detail["claims"] == ["repository_id=74"]
    assert allowed.detail["by"] == "operator"


async def test_nothing_is_said_of_a_change_that_changes_nothing(desk: Desk) -> None:
    await issuers(desk).create(OPERATOR, DRAFT)
    await issuers(desk).allow(OPERATOR, "GitHub", "deploy", app="robot", claims=CLAIMS)
    same = issuers(desk).allow(OPERATOR, "GitHub", "deploy", app="robot", claims=CLAIMS)
    assert await refusal(same) == "unchanged"
    assert await refusal(issuers(desk).update(OPERATOR, "GitHub", {"tolerance": 10})) == "unchanged"
    assert await refusal(issuers(desk).enable(OPERATOR, "GitHub")) == "unchanged"
    assert await refusal(issuers(desk).disallow(OPERATOR, "GitHub", "deplay")) == "not_found"
