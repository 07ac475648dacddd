"""Attacks by whoever can make a platform sign a token, or answers for one: other addresses behind a trusted issuer's name (SSRF, R63),
and keys that were not meant for it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.adapters.http_client import GuardedAnswer, GuardedHttp
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.features.oauth.grants.jwt_bearer.keys import MOST, IssuerKeys, IssuerUnavailable, named_hosts
from tests.features import made
from tests.features.oauth.grants.jwt_bearer.bearing import Bearing, opened
from tests.features.oauth.token.exchange import given, refused
from tests.manual_clock import NOW, ManualClock
from tests.stand_ins.openid import rsa_key
from tests.stand_ins.serving import served
from tests.stand_ins.workloads import GitHubActions

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(63)]
PUBLIC = "https://93.184.216.34"


@pytest.fixture
async def bearing() -> AsyncGenerator[Bearing]:
    async with opened() as made_now:
        await made_now.trust(made_now.github, "github-actions")
        await made_now.allow("github-actions", repository_id="74")
        yield made_now


def of(issuer: str, **changes: Any) -> TrustedIssuer:
    values: dict[str, Any] = {
        "id": "tis_1",
        "name": "x",
        "issuer": issuer,
        "grant_id": "tis_1",
        "created_at": NOW,
    }
    return TrustedIssuer(**(values | changes))


async def looked_up(host: str, port: int) -> list[str]:
    """What the names of the test lead to, as an attacker's own name server says."""
    del port
    return {
        "idp.example": ["93.184.216.34"],
        "rebound.example": ["169.254.169.254"],
        "inside.example": ["10.0.0.1"],
        "loop.example": ["127.0.0.1"],
    }.get(host, [host])


@pytest.mark.parametrize(
    "jwks_uri",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/keys",
        "https://rebound.example/keys",
        "https://inside.example/keys",
        "https://loop.example/keys",
        "https://[::1]/keys",
        "https://10.0.0.1/keys",
        "https://0x7f.1/keys",
        "file:///etc/passwd",
        "gopher://inside.example/",
        "https://user@idp.example/keys",
    ],
)
async def test_metadata_lead_to_no_address_inside(jwks_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator named the issuer and not what its metadata name: those must be public, whatever their names resolve to."""
    called: list[str] = []
    honest = GuardedHttp.get

    async def metadata_then_guard(http: GuardedHttp, url: str, **sent: Any) -> Any:
        called.append(url)
        if url.endswith("openid-configuration"):
            return GuardedAnswer(
                200, json.dumps({"issuer": "https://idp.example", "jwks_uri": jwks_uri}).encode()
            )
        return await honest(http, url, **sent)

    monkeypatch.setattr(GuardedHttp, "get", metadata_then_guard)
    issuer = of("https://idp.example")
    keys = IssuerKeys(
        clock=ManualClock(),
        http=lambda one: GuardedHttp(
            timeout=2, may_be_private=named_hosts(one).__contains__, resolve=looked_up
        ),
    )
    with pytest.raises(IssuerUnavailable, match=r"may not be called|ConnectError"):
        await keys.of(issuer)
    assert called[-1] == jwks_uri
    await keys.close()


async def test_only_what_the_operator_named_may_be_inside() -> None:
    assert named_hosts(of("https://k8s.internal:6443")) == {"k8s.internal"}
    assert named_hosts(of("https://a.example", jwks_uri="https://b.internal/k")) == {
        "a.example",
        "b.internal",
    }
    linked = of("https://idp.example", jwks_uri="https://169.254.169.254/keys")
    keys = IssuerKeys(
        clock=ManualClock(),
        http=lambda one: GuardedHttp(
            timeout=2, may_be_private=named_hosts(one).__contains__, resolve=looked_up
        ),
    )
    # where clouds hand out credentials no issuer lives, even if somebody names it
    with pytest.raises(IssuerUnavailable, match="may not be called"):
        await keys.of(linked)
    await keys.close()


async def test_an_assertion_of_a_stranger_has_nothing_fetched(bearing: Bearing) -> None:
    stranger = GitHubActions()
    async with served(stranger, None):
        refused(await bearing.ask(stranger.token(made.ISSUER)), "invalid_grant")
        assert stranger.calls == []
    assert bearing.github.calls == []


async def test_unknown_keys_have_the_issuer_asked_once_in_half_a_minute(bearing: Bearing) -> None:
    given(await bearing.ask(bearing.github.token(made.ISSUER)))
    asked = len(bearing.github.calls)
    for number in range(40):
        forged = bearing.github.token(made.ISSUER, key=rsa_key(f"forged{number % 2}"))
        refused(await bearing.ask(forged), "invalid_grant")
    assert len(bearing.github.calls) == asked


async def test_metadata_of_another_issuer_are_not_taken(bearing: Bearing) -> None:
    """One issuer must not be able to have another one's keys taken for its own, nor the other way round."""
    bearing.github.members = {"issuer": bearing.gitlab.origin}
    error = refused(await bearing.ask(bearing.github.token(made.ISSUER)), "temporarily_unavailable")
    assert "names the issuer" in error.reason


async def test_the_keys_of_one_issuer_count_for_no_other(bearing: Bearing) -> None:
    await bearing.trust(bearing.gitlab, "gitlab-ci")
    bearing.gitlab.key = rsa_key("of-gitlab")
    await bearing.allow("gitlab-ci", project_id="20")
    forged = bearing.gitlab.token(made.ISSUER, iss=bearing.github.issuer, repository_id="74")
    refused(await bearing.ask(forged), "invalid_grant")
    given(await bearing.ask(bearing.gitlab.token(made.ISSUER)))


async def test_what_a_process_remembers_of_issuers_is_bounded() -> None:
    keys = IssuerKeys(clock=ManualClock(), http=lambda _: GuardedHttp(timeout=1))
    jwks = GitHubActions(origin=PUBLIC).jwks()
    for number in range(MOST + 5):
        await keys.of(of(PUBLIC, id=f"tis_{number}", jwks=jwks))
    assert len(vars_of(keys)) == MOST


def vars_of(keys: IssuerKeys) -> dict[str, Any]:
    return getattr(keys, "_known")  # noqa: B009 - private on purpose
