"""Presets of trusted issuers: what a rule must name so that nobody else's workload fits it."""

from __future__ import annotations

import pytest

from doorward.features.oauth.grants.jwt_bearer.rules.presets import NAMES, PRESETS, missing, preset


@pytest.mark.parametrize(
    ("name", "claims", "lacking"),
    [
        ("github-actions", {"repository_id"}, ()),
        ("github-actions", {"repository", "repository_owner_id"}, ()),
        # a repository's name is free again after it was renamed, and its new owner would fit
        ("github-actions", {"repository"}, ("repository_id",)),
        ("github-actions", {"sub"}, ("repository_id",)),
        ("github-actions", {"environment", "job_workflow_ref"}, ("repository_id",)),
        ("gitlab-ci", {"project_id", "ref"}, ()),
        ("gitlab-ci", {"project_path"}, ("project_id",)),
        ("kubernetes", {"/kubernetes.io/namespace", "/kubernetes.io/serviceaccount/name"}, ()),
        ("kubernetes", {"/kubernetes.io/serviceaccount/uid"}, ()),
        ("kubernetes", {"sub"}, ()),
        ("kubernetes", {"/kubernetes.io/namespace", "iss"}, ("/kubernetes.io/serviceaccount/name",)),
        ("spiffe", {"sub"}, ()),
        ("spiffe", {"aud"}, ("sub",)),
        ("custom", {"tenant"}, ()),
        ("custom", {"iss", "aud", "azp"}, ("sub",)),
        ("of-a-newer-program", {"aud"}, ("sub",)),
    ],
)
def test_a_rule_names_what_singles_out_a_workload(
    name: str, claims: set[str], lacking: tuple[str, ...]
) -> None:
    assert missing(name, claims) == lacking


def test_a_token_of_github_counts_once_and_one_of_kubernetes_until_it_is_rotated() -> None:
    assert PRESETS["github-actions"].single_use
    assert PRESETS["gitlab-ci"].single_use
    assert not PRESETS["kubernetes"].single_use
    assert preset("of-a-newer-program") is PRESETS["custom"]
    assert set(NAMES) == set(PRESETS)
