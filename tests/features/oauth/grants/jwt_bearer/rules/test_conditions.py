"""Conditions: exact claims, nested ones, and what is said of the nearest rule."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.trusted_issuer import IssuerRule
from doorward.features.oauth.grants.jwt_bearer.rules.conditions import Fitting, Unfitting, fit, value_at
from tests.stand_ins.workloads import GitHubActions, KubernetesApi

GITHUB = GitHubActions(origin="https://github.example").claims("https://auth.example.com")
CLUSTER = KubernetesApi(origin="https://k8s.example").claims("https://auth.example.com")


def rule(name: str = "deploy", client_id: str = "app_one", access: Any = None, **claims: str) -> IssuerRule:
    return IssuerRule(name=name, client_id=client_id, claims=claims, access=access or {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository_id", "74"),
        ("/kubernetes.io/namespace", None),
        ("missing", None),
        ("number", "74"),
        ("yes", "true"),
        ("list", None),
        ("object", None),
        ("/object/a~1b", "deep"),
        ("/object/missing/x", None),
        ("half", None),
    ],
)
def test_a_claim_is_read_as_text(name: str, value: str | None) -> None:
    other = {"number": 74, "yes": True, "list": ["74"], "object": {"a/b": "deep"}, "half": 0.5}
    assert value_at(GITHUB | other, name) == value


def test_a_nested_claim_whose_own_name_has_a_dot_is_found_by_its_pointer() -> None:
    assert value_at(CLUSTER, "/kubernetes.io/serviceaccount/name") == "my-serviceaccount"
    assert value_at(CLUSTER, "kubernetes.io") is None


def test_all_claims_of_a_rule_fit_exactly() -> None:
    found = fit([rule(repository_id="74", environment="prod")], GITHUB, client_id=None)
    assert isinstance(found, Fitting)
    assert found.client_id == "app_one"
    assert found.access == {}


@pytest.mark.parametrize(
    "claims",
    [
        {"repository_id": "7"},
        {"repository_id": "745"},
        {"repository_id": "74", "environment": "PROD"},
        {"repository_id": "74", "environment": "prod "},
        {"sub": "repo:octo-org/octo-repo"},
        {"sub": "repo:octo-org/*"},
        {"repository_id": "74", "missing": ""},
    ],
)
def test_a_prefix_a_pattern_or_another_spelling_never_fits(claims: dict[str, str]) -> None:
    assert isinstance(fit([rule(**claims)], GITHUB, client_id=None), Unfitting)


def test_the_log_names_the_nearest_rule_and_each_difference() -> None:
    rules = [
        rule("far", repository_id="1", environment="x", ref="y"),
        rule("near", repository_id="74", environment="staging"),
    ]
    found = fit(rules, GITHUB, client_id=None)
    assert isinstance(found, Unfitting)
    assert found.nearest is not None
    assert found.nearest.name == "near"
    assert found.difference == "environment=prod"
    assert "environment is 'prod' and not 'staging'" in found.reason
    missing = fit([rule(repository_id="74", other="x")], GITHUB, client_id=None)
    assert isinstance(missing, Unfitting)
    assert "the assertion has no other" in missing.reason
    assert missing.difference is None


def test_several_rules_of_one_app_add_up() -> None:
    read, write = {"api": ("read",)}, {"api": ("write", "read"), "stock": ("x",)}
    rules = [rule("a", access=read, repository_id="74"), rule("b", access=write, environment="prod")]
    found = fit(rules, GITHUB, client_id=None)
    assert isinstance(found, Fitting)
    assert found.access == {"api": ("read", "write"), "stock": ("x",)}
    everything = fit([*rules, rule("c", ref="refs/heads/main")], GITHUB, client_id=None)
    assert isinstance(everything, Fitting)
    assert everything.access == {}


def test_rules_of_several_apps_need_a_request_that_names_one_of_them() -> None:
    rules = [rule("a", repository_id="74"), rule("b", client_id="app_two", environment="prod")]
    unsure = fit(rules, GITHUB, client_id=None)
    assert isinstance(unsure, Unfitting)
    assert "client_id" in unsure.reason
    named = fit(rules, GITHUB, client_id="app_two")
    assert isinstance(named, Fitting)
    assert [one.name for one in named.rules] == ["b"]
    assert isinstance(fit(rules, GITHUB, client_id="app_three"), Unfitting)
    assert isinstance(fit([], GITHUB, client_id=None), Unfitting)
