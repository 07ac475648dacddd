"""Tests of `doorward issuer …`, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.adapters.clock import SystemClock
from tests.cli.conftest import Run
from tests.stand_ins.serving import served_beside
from tests.stand_ins.workloads import GitHubActions, KubernetesApi

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def deployer(run: Run) -> None:
    """An API, and an app without a credential."""
    run("api", "create", "https://api.example.com", "--name", "orders", "--permission", "orders:write")
    made = run("app", "create", "deployer", "--kind", "service", "--auth-method", "none",
               "--grant-type", GRANT, "--api", "orders")  # fmt: skip
    assert made.status == 0, made.err


def test_a_service_without_credential_is_only_for_assertions(run: Run) -> None:
    refused = run("app", "create", "robot", "--kind", "service", "--auth-method", "none")
    assert refused.status == 1
    assert GRANT in refused.err
    both = run("app", "create", "robot", "--kind", "service", "--auth-method", "none",
               "--grant-type", GRANT, "--grant-type", "client_credentials")  # fmt: skip
    assert both.status == 1


def test_an_empty_list_says_what_to_do(run: Run) -> None:
    assert "doorward issuer add github --preset github-actions" in run("issuer", "list").out


@pytest.mark.usefixtures("deployer")
def test_an_issuer_from_its_first_day_to_its_last(run: Run) -> None:
    added = run("issuer", "add", "github", "--preset", "github-actions")
    assert added.status == 0, added.err
    assert "doorward issuer allow github RULE" in added.out
    assert "https://token.actions.githubusercontent.com" in added.out
    weak = run("issuer", "allow", "github", "deploy", "--app", "deployer", "--claim", "repository=o/r")
    assert weak.status == 1
    assert "repository_id" in weak.err
    allowed = run("issuer", "allow", "github", "deploy", "--app", "deployer", "--claim", "repository_id=74",
                  "--claim", "environment=prod", "--json")  # fmt: skip
    assert allowed.document["rules"][0]["claims"] == {"repository_id": "74", "environment": "prod"}
    assert not {"revision", "grant_id"} & set(allowed.document)
    wide = run("issuer", "allow", "github", "any", "--app", "deployer", "--claim", "repository_id=74")
    assert "on any branch" in wide.err
    assert run("issuer", "disallow", "github", "any", "--yes").status == 0
    shown = run("issuer", "show", "github").out
    assert "deploy: environment=prod, repository_id=74" in shown
    assert "once" in shown
    assert run("issuer", "set", "github", "--token-ttl", "120", "--many-uses").status == 0
    assert "120 s at most" in run("issuer", "show", "GitHub").out
    (row,) = run("issuer", "list", "--json").document
    assert row["single_use"] is False
    assert run("issuer", "disable", "github").status == 1
    assert run("issuer", "disable", "github", "--yes").status == 0
    assert "disabled" in run("issuer", "list").out
    assert run("issuer", "enable", "github").status == 0
    assert run("issuer", "disallow", "github", "deploy", "--yes").status == 0
    assert run("issuer", "remove", "github", "--yes").status == 0
    assert run("issuer", "show", "github").status == 1


@pytest.mark.usefixtures("deployer")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "cluster", "--preset", "kubernetes"), "--issuer URL"),
        (("add", "cluster", "--preset", "kubernets"), "kubernetes"),
        (("add", "cluster", "--issuer", "http://k8s.example"), "use https"),
        (("add", "cluster", "--issuer", "https://k8s.example", "--algorithm", "HS256"), "RS256"),
        (("add", "cluster", "--issuer", "https://k8s.example", "--tolerance", "61"), "tolerance"),
        (("add", "cluster", "--issuer", "https://k8s.example", "--audience", "a b"), "audience"),
        (("add", "own", "--issuer", "http://127.0.0.1:9000"), "this server itself"),
        (("set", "github", "--token-ttl", "60"), "no trusted issuer github"),
        (("set", "github"), "Nothing was named"),
        (("allow", "github", "deploy", "--app", "deployer", "--claim", "x"), "NAME=VALUE"),
    ],
)
def test_a_mistake_is_answered_with_its_fix(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run("issuer", *arguments)
    assert ended.status in {1, 2}
    assert said in ended.err


@pytest.mark.usefixtures("deployer")
def test_an_assertion_is_tried_before_a_job_is(run: Run, house: Path) -> None:
    github = GitHubActions()
    with served_beside(github):
        github.now = 0
        added = run("issuer", "add", "github", "--preset", "github-actions", "--issuer", github.issuer)
        assert added.status == 0, added.err
        tested = run("issuer", "test", "github")
        assert tested.status == 0, tested.err
        assert "1, for RS256" in tested.out
        assert (
            run(
                "issuer", "allow", "github", "deploy", "--app", "deployer", "--claim", "repository_id=74"
            ).status
            == 0
        )
        github.now = SystemClock().now()
        good = run("issuer", "test", "github", "--token-stdin", stdin=github.token("http://127.0.0.1:9000"))
        assert good.status == 0, good.err
        assert "would be accepted" in good.out
        assert "deployer" in good.out
        other = github.token("http://127.0.0.1:9000", repository_id="75")
        wrong = run("issuer", "test", "github", "--token-stdin", "--json", stdin=other)
        assert wrong.status == 1
        assert "repository_id is '75' and not '74'" in wrong.document["error"]
        assert run("issuer", "test", "github", "--token-stdin", stdin="").status == 1
        assert run("issuer", "test", "github", "--token-stdin", stdin="junk").status == 1
        checks = {check["name"]: check for check in run("doctor", "--json").document["checks"]}
        assert checks["trusted issuers"]["ok"]
        github.status = 503
        broken = {check["name"]: check for check in run("doctor", "--json").document["checks"]}
        assert not broken["trusted issuers"]["ok"]
        assert "answered 503" in broken["trusted issuers"]["said"]
    down = run("issuer", "test", "github")
    assert down.status == 1
    assert "ConnectError" in down.err
    keys = house / "keys.json"
    keys.write_text(json.dumps(KubernetesApi(origin="https://k8s.example").jwks()), "utf-8")
    assert run("issuer", "set", "github", "--jwks", str(keys)).status == 0
    assert run("issuer", "test", "github").status == 0
    assert run("issuer", "set", "github", "--discover").status == 0
    assert run("issuer", "test", "github").status == 1
