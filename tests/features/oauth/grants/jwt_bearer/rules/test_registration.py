"""Registration of trusted issuers and their rules: what is refused before anything is trusted."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.trusted_issuer import JWT_BEARER, IssuerRule, TrustedIssuer
from doorward.features.oauth.grants.jwt_bearer.rules.registration import issuer_problem, rule_problem
from tests.features import made
from tests.manual_clock import NOW
from tests.stand_ins.workloads import GitHubActions

JWKS = GitHubActions(origin="https://github.example").jwks()
GOOD = TrustedIssuer(
    id="tis_one",
    name="GitHub",
    issuer="https://github.example",
    grant_id="tis_one",
    created_at=NOW,
    preset="github-actions",
)
APP = made.client(grant_types=(JWT_BEARER,), redirect_uris=())


def code(**changes: Any) -> str | None:
    found = issuer_problem(structs.replace(GOOD, **changes), own=made.ISSUER)
    return None if found is None else found.code


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"issuer": "https://github.example/enterprise"}, None),
        ({"issuer": "http://127.0.0.1:9000"}, None),
        ({"jwks": JWKS}, None),
        ({"jwks_uri": "https://keys.example/jwks"}, None),
        ({"audiences": ("doorward",)}, None),
        ({"name": "tis_one"}, "name_like_id"),
        ({"issuer": "http://github.example"}, "uri_not_https"),
        ({"issuer": "github.example"}, "uri_relative"),
        ({"issuer": "https://github.example?x=1"}, "uri_character"),
        ({"issuer": "https://u@github.example"}, "uri_user_name"),
        ({"issuer": made.ISSUER}, "issuer_of_server"),
        ({"issuer": made.ISSUER.upper().replace("HTTPS", "https") + "/"}, "uri_host_spelling"),
        ({"issuer": made.ISSUER + "/"}, "issuer_of_server"),
        ({"jwks_uri": "http://keys.example/jwks"}, "uri_not_https"),
        ({"jwks": JWKS, "jwks_uri": "https://keys.example"}, "issuer_keys_twice"),
        ({"jwks": {"keys": []}}, "jwks_missing"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "jwks_unusable"),
        ({"algorithms": ()}, "issuer_algorithm_unknown"),
        ({"algorithms": ("HS256",)}, "issuer_algorithm_unknown"),
        ({"algorithms": ("none",)}, "issuer_algorithm_unknown"),
        ({"audiences": ("*",)}, "issuer_audience_invalid"),
        ({"audiences": ("",)}, "issuer_audience_invalid"),
        ({"tolerance": 61}, "out_of_range"),
        ({"tolerance": 9}, "out_of_range"),
        ({"max_lifetime": 86_401}, "out_of_range"),
        ({"token_ttl": 3601}, "out_of_range"),
    ],
)
def test_an_issuer_is_checked_as_a_whole(changes: dict[str, Any], expected: str | None) -> None:
    assert code(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"claims": {"repository": "o/r", "repository_owner_id": "65"}}, None),
        ({"access": {made.API: ("orders:read",)}}, None),
        ({"name": "deploy prod"}, "issuer_rule_name_invalid"),
        ({"claims": {}}, "out_of_range"),
        ({"claims": {f"c{number}": "x" for number in range(21)}}, "out_of_range"),
        ({"claims": {"repository": "o/r"}}, "issuer_rule_weak"),
        ({"claims": {"sub": "repo:o/r:environment:prod"}}, "issuer_rule_weak"),
        ({"claims": {"repository_id": ""}}, "issuer_claim_invalid"),
        ({"claims": {"repository id": "74"}}, "issuer_claim_invalid"),
        ({"claims": {"repository_id": "7*"}}, "issuer_claim_pattern"),
        ({"access": {made.API: ("orders:delete",)}}, "issuer_access_beyond_app"),
    ],
)
def test_a_rule_singles_out_a_workload_and_only_narrows_its_app(
    changes: dict[str, Any], expected: str | None
) -> None:
    good = IssuerRule(name="deploy", client_id=APP.id, claims={"repository_id": "74"})
    found = rule_problem(structs.replace(good, **changes), GOOD, APP)
    assert (None if found is None else found.code) == expected


def test_the_app_of_a_rule_may_use_the_grant() -> None:
    rule = IssuerRule(name="deploy", client_id="app_web", claims={"repository_id": "74"})
    found = rule_problem(rule, GOOD, made.client())
    assert found is not None
    assert found.code == "issuer_app_without_grant"
