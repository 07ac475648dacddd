"""JWT bearer grant: tokens of CI jobs and clusters become ours, and nobody else's do. The issuers are real servers with documented claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.http_client import GuardedHttp
from doorward.core.errors import OAuthError
from doorward.core.model.trusted_issuer import JWT_BEARER
from doorward.features.admin import build
from doorward.features.oauth.grants.jwt_bearer.told import EVERY
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import signing_key
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.jwt_bearer.bearing import Bearing, claims_of, opened, registered
from tests.features.oauth.token.exchange import given, refused
from tests.stand_ins.openid import rsa_key

pytestmark = pytest.mark.anyio
PROD = {"repository_id": "74", "environment": "prod"}


@pytest.fixture
async def bearing() -> AsyncGenerator[Bearing]:
    async with opened() as made_now:
        yield made_now


@pytest.fixture
async def github(bearing: Bearing) -> Bearing:
    """GitHub Actions is trusted, and one repository's production environment allowed."""
    await bearing.trust(bearing.github, "github-actions")
    await bearing.allow("github-actions", **PROD)
    return bearing


def reason(answer: object, code: str = "invalid_grant") -> str:
    """What the log says of a refusal, of which the client hears one sentence."""
    error = refused(answer, code)
    assert error.code != "invalid_grant" or error.description == "The assertion is not accepted."
    return error.reason


@pytest.mark.requirement(26)
async def test_a_job_of_github_gets_a_token_of_its_app_with_the_assertion_alone(github: Bearing) -> None:
    answer = given(await github.ask(github.github.token(made.ISSUER)))
    claims = claims_of(answer)
    issuer = await github.admin.get(OPERATOR, "github-actions")
    assert claims["sub"] == claims["client_id"] == github.app.id
    assert claims["jti"].partition(".")[0] == issuer.id
    assert (claims["aud"], claims["scope"]) == (made.API, "orders:read orders:write")
    assert claims["exp"] - claims["iat"] == answer.expires_in == 300
    assert not {"sid", "acr", "auth_time"} & set(claims)
    (event,) = await github.audited("assertion.accepted")
    assert (event.client_id, event.grant_id, event.ok) == (github.app.id, issuer.id, True)
    assert event.detail["subject"] == "repo:octo-org/octo-repo:environment:prod"
    assert (event.detail["issuer"], event.detail["rule"]) == (issuer.id, "deploy")


async def test_a_pod_presents_its_token_until_it_is_rotated(bearing: Bearing) -> None:
    await bearing.trust(bearing.cluster, "kubernetes")
    claims = {
        "/kubernetes.io/namespace": "my-namespace",
        "/kubernetes.io/serviceaccount/name": "my-serviceaccount",
    }
    await bearing.admin.allow(
        OPERATOR, "kubernetes", "pod", app="deployer", claims=claims, access=["orders:orders:read"]
    )
    token = bearing.cluster.token(made.ISSUER, aud=[made.ISSUER])
    for _ in range(3):
        assert claims_of(await bearing.ask(token))["scope"] == "orders:read"
    other = bearing.cluster.claims(made.ISSUER)["kubernetes.io"] | {"namespace": "my-namespace-2"}
    stranger = bearing.cluster.token(made.ISSUER, **{"kubernetes.io": other})
    assert "/kubernetes.io/namespace is 'my-namespace-2'" in reason(await bearing.ask(stranger))
    # three uses, one line: a pod asks every few minutes for years
    assert len(await bearing.audited("assertion.accepted")) == 1
    bearing.clock.time += EVERY + 1
    given(await bearing.ask(token))
    assert len(await bearing.audited("assertion.accepted")) == 2


async def test_a_job_of_gitlab_gets_a_token(bearing: Bearing) -> None:
    await bearing.trust(bearing.gitlab, "gitlab-ci")
    await bearing.allow("gitlab-ci", project_id="20", ref_protected="true")
    given(await bearing.ask(bearing.gitlab.token(made.ISSUER)))
    reason(await bearing.ask(bearing.gitlab.token(made.ISSUER, ref_protected="false")))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"repository_id": "75"}, "repository_id is '75' and not '74'"),
        # the same name, by another owner
        ({"repository_id": "99", "repository": "octo-org/octo-repo"}, "repository_id is '99'"),
        ({"environment": "staging"}, "environment is 'staging' and not 'prod'"),
        ({"environment": None}, "the assertion has no environment"),
        ({"aud": "https://github.com/octo-org"}, "aud is 'https://github.com/octo-org'"),
        ({"exp": 1_799_999_999}, "it expired 1 s ago"),
        ({"iat": 1_800_000_011}, "11 s ahead"),
        ({"iss": "https://token.actions.githubusercontent.com"}, "nobody trusts its issuer"),
    ],
)
async def test_another_repository_environment_audience_issuer_or_time_is_refused(
    github: Bearing, claims: dict[str, Any], said: str
) -> None:
    assert said in reason(await github.ask(github.github.token(made.ISSUER, **claims)))


async def test_the_log_says_how_to_allow_what_was_refused_and_nothing_runs_from_a_paste(
    github: Bearing,
) -> None:
    answer = await github.ask(github.github.token(made.ISSUER, environment="$(reboot); x"))
    error = refused(answer, "invalid_grant")
    assert "doorward issuer allow github-actions NEW --app deployer" in error.fix
    assert "--claim 'environment=$(reboot); x'" in error.fix
    assert "--claim repository_id=74" in error.fix
    assert "environment" not in error.description
    (event,) = await github.audited("assertion.refused")
    assert not event.ok


@pytest.mark.requirement(23)
async def test_an_assertion_of_github_counts_once(github: Bearing) -> None:
    token = github.github.token(made.ISSUER)
    given(await github.ask(token))
    assert "used before" in reason(await github.ask(token))
    again = github.github.token(made.ISSUER)
    given(await github.ask(again))
    # without a jti it is known by its text
    plain = github.github.token(made.ISSUER, jti=None)
    given(await github.ask(plain))
    reason(await github.ask(plain))


async def test_a_refused_request_does_not_use_the_assertion_up(github: Bearing) -> None:
    token = github.github.token(made.ISSUER)
    refused(await github.ask(token, scope="orders:delete"), "invalid_scope")
    given(await github.ask(token, scope="orders:read"))


async def test_a_removed_issuer_that_is_trusted_again_does_not_take_what_was_used(github: Bearing) -> None:
    token = github.github.token(made.ISSUER)
    given(await github.ask(token))
    await github.admin.delete(OPERATOR, "github-actions")
    await github.trust(github.github, "github-actions")
    await github.allow("github-actions", **PROD)
    assert "used before" in reason(await github.ask(token))


async def test_a_token_signed_with_another_algorithm_or_key_is_refused(github: Bearing) -> None:
    good = github.github.token(made.ISSUER)
    head, body, signature = good.split(".")
    unsigned = b64url_encode(b'{"alg":"none","kid":"w1","typ":"JWT"}')
    secret = b64url_encode(b'{"alg":"HS256","kid":"w1","typ":"JWT"}')
    stronger = b64url_encode(b'{"alg":"RS512","kid":"w1","typ":"JWT"}')
    for wrong in (f"{unsigned}.{body}.", f"{secret}.{body}.{signature}", f"{stronger}.{body}.{signature}"):
        reason(await github.ask(wrong))
    stranger = github.github.token(made.ISSUER, key=rsa_key("w1-of-somebody-else"))
    assert "unknown_key" in reason(await github.ask(stranger))
    forged = signing_key(rsa_key("forger").key, kid="w1")
    assert "signature" in reason(await github.ask(github.github.token(made.ISSUER, key=forged)))
    assert reason(await github.ask(f"{head}.{body}.{'A' * len(signature)}"))
    for typ in ("at+jwt", "logout+jwt", "oauth-id-jag+jwt"):
        reason(await github.ask(github.github.token(made.ISSUER, typ=typ)))
    given(await github.ask(good))


@pytest.mark.parametrize("junk", ["x", "a.b.c", "é" * 9, "." * 20_000, "e30.e30.e30", "A" * 70_000])
async def test_junk_is_refused_and_never_an_error(github: Bearing, junk: str) -> None:
    reason(await github.ask(junk))
    missing = await github.ask("")
    assert isinstance(missing, OAuthError)


async def test_a_rotated_key_is_fetched_when_it_is_met(github: Bearing) -> None:
    given(await github.ask(github.github.token(made.ISSUER)))
    fetched = len(github.github.calls)
    github.github.key = rsa_key("w2")
    # within half a minute of the last fetch nobody can have the issuer asked again
    reason(await github.ask(github.github.token(made.ISSUER)))
    assert len(github.github.calls) == fetched
    github.clock.time += 31
    github.github.now += 31
    given(await github.ask(github.github.token(made.ISSUER)))
    # the old one is gone with it
    github.clock.time += 31
    reason(await github.ask(github.github.token(made.ISSUER, key=rsa_key("w1"))))


async def test_the_last_good_keys_are_used_on_while_the_issuer_is_down(github: Bearing) -> None:
    github.github.cache_control = "max-age=60"
    given(await github.ask(github.github.token(made.ISSUER)))
    github.github.status = 503
    github.clock.time += 3600
    github.github.now += 3600
    given(await github.ask(github.github.token(made.ISSUER)))
    github.clock.time += 86_400
    github.github.now += 86_400
    error = refused(await github.ask(github.github.token(made.ISSUER)), "temporarily_unavailable")
    assert error.retry_at is not None
    assert "answered 503" in error.reason


async def test_pinned_keys_are_never_fetched(bearing: Bearing) -> None:
    await bearing.trust(bearing.cluster, "kubernetes", jwks=bearing.cluster.jwks())
    await bearing.allow("kubernetes", sub="system:serviceaccount:my-namespace:my-serviceaccount")
    given(await bearing.ask(bearing.cluster.token(made.ISSUER)))
    assert bearing.cluster.calls == []
    bearing.cluster.key = rsa_key("w3")
    reason(await bearing.ask(bearing.cluster.token(made.ISSUER)))


async def test_what_ends_an_issuer_ends_its_tokens_and_no_token_after_it(github: Bearing) -> None:
    first = given(await github.ask(github.github.token(made.ISSUER)))
    await github.admin.disable(OPERATOR, "github-actions")
    assert await github.revoked(first) == "grant"
    assert "disabled" in reason(await github.ask(github.github.token(made.ISSUER)))
    await github.admin.enable(OPERATOR, "github-actions")
    second = given(await github.ask(github.github.token(made.ISSUER)))
    assert await github.revoked(second) is None
    await github.allow("github-actions", "more", repository_id="80")
    assert await github.revoked(second) is None
    await github.admin.disallow(OPERATOR, "github-actions", "more")
    assert await github.revoked(second) == "grant"
    third = given(await github.ask(github.github.token(made.ISSUER)))
    await github.admin.update(OPERATOR, "github-actions", {"algorithms": ("PS256",)})
    assert await github.revoked(third) == "grant"
    await github.admin.update(OPERATOR, "github-actions", {"algorithms": ("RS256",)})
    fourth = given(await github.ask(github.github.token(made.ISSUER)))
    await github.admin.delete(OPERATOR, "github-actions")
    assert await github.revoked(fourth) == "grant"
    assert "nobody trusts" in reason(await github.ask(github.github.token(made.ISSUER)))


async def test_what_ends_the_app_ends_its_tokens(github: Bearing) -> None:
    answer = given(await github.ask(github.github.token(made.ISSUER)))
    await github.services.get(build.apps).delete(OPERATOR, "deployer")
    assert await github.revoked(answer) == "client"
    assert "deleted" in reason(await github.ask(github.github.token(made.ISSUER)))


async def test_no_access_token_lives_longer_than_the_issuer_says(github: Bearing) -> None:
    await github.admin.update(OPERATOR, "github-actions", {"token_ttl": 120})
    assert given(await github.ask(github.github.token(made.ISSUER))).expires_in == 120
    await github.admin.update(OPERATOR, "github-actions", {"within_assertion": True})
    github.clock.time += 250
    assert given(await github.ask(github.github.token(made.ISSUER))).expires_in == 50


async def test_a_request_that_names_an_app_gets_that_app_or_nothing(github: Bearing) -> None:
    secret = await registered(
        github,
        structs.replace(github.app, name="other", auth_method="client_secret_basic", id=""),
        kind="service",
        access=["orders"],
    )
    token = github.github.token(made.ISSUER)
    assert "of another app" in reason(await github.ask(token, as_=secret))
    # an app with a credential is not taken by its name alone
    refused(await github.ask(token, client_id=secret.id), "invalid_client")
    refused(await github.ask(token, client_id="app_nobody"), "invalid_client")
    refused(await github.ask(token, client_secret="x"), "invalid_client")
    given(await github.ask(token, as_=github.app))
    await github.allow("github-actions", "second", app="other", repository_id="74")
    several = github.github.token(made.ISSUER)
    assert "client_id" in reason(await github.ask(several))
    assert claims_of(await github.ask(several, as_=secret))["sub"] == secret.id


async def test_an_app_that_may_not_use_the_grant_any_more_gets_nothing(github: Bearing) -> None:
    await github.services.get(build.apps).update(
        OPERATOR,
        "deployer",
        lambda app: structs.replace(
            app, grant_types=("client_credentials",), auth_method="client_secret_basic"
        ),
    )
    error = refused(await github.ask(github.github.token(made.ISSUER)), "unauthorized_client")
    assert JWT_BEARER in error.fix


async def test_other_grants_still_need_an_app(github: Bearing) -> None:
    for name in ("client_credentials", "refresh_token", "authorization_code"):
        refused(await github.ask("x", grant_type=name), "invalid_client")


@pytest.mark.requirement(96)
async def test_refusals_of_an_address_are_counted_and_audited_sparingly(github: Bearing) -> None:
    answers = [await github.ask(github.github.token(made.ISSUER, environment="x")) for _ in range(200)]
    last = refused(answers[-1], "invalid_grant")
    assert last.retry_at is not None
    assert len(await github.audited("assertion.refused")) <= 10
    given(await github.ask(github.github.token(made.ISSUER)))


async def test_an_operator_tries_an_assertion_without_using_it_up(github: Bearing) -> None:
    token = github.github.token(made.ISSUER)
    found = await github.admin.examine(OPERATOR, "github-actions", token)
    assert found.problem is None
    assert found.algorithms == ("RS256",)
    assert found.verdict is not None
    assert (found.verdict.app, found.verdict.rules) == ("deployer", ("deploy",))
    wrong = await github.admin.examine(
        OPERATOR, "github-actions", github.github.token("https://other.example")
    )
    assert wrong.verdict is not None
    assert "aud is 'https://other.example'" in str(wrong.verdict.problem)
    given(await github.ask(token))
    github.github.status = 500
    await github.admin.update(OPERATOR, "github-actions", {"tolerance": 20})
    down = await github.admin.examine(OPERATOR, "github-actions")
    assert "answered 500" in str(down.problem)


async def test_answers_hold_neither_refresh_token_nor_id_token(github: Bearing) -> None:
    asked = "orders:read offline_access openid"
    answer = given(await github.ask(github.github.token(made.ISSUER), scope=asked))
    assert answer.scope == "orders:read"
    assert (answer.refresh_token, answer.id_token) == (None, None)


async def test_nobody_waits_for_a_fetch_that_a_strangers_key_has_caused(
    github: Bearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the issuer hangs, an unknown key has it asked; assertions with known keys are answered meanwhile."""
    given(await github.ask(github.github.token(made.ISSUER)))
    github.clock.time += 31
    github.github.now += 31
    asked, over, honest = asyncio.Event(), asyncio.Event(), GuardedHttp.get

    async def hanging(http: GuardedHttp, url: str, **sent: Any) -> Any:
        asked.set()
        await over.wait()
        return await honest(http, url, **sent)

    monkeypatch.setattr(GuardedHttp, "get", hanging)
    stranger = asyncio.ensure_future(github.ask(github.github.token(made.ISSUER, key=rsa_key("forged0"))))
    await asked.wait()
    given(await github.ask(github.github.token(made.ISSUER)))
    assert not stranger.done()
    over.set()
    reason(await stranger)
