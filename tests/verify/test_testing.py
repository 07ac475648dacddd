"""pytest plugin for API test suites: signed tokens, wrong tokens in one line, a frozen clock."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import doorward_verify
from doorward_verify import AuthError, ResourceServer
from doorward_verify.testing import TokenMint

AUTH = ResourceServer("https://auth.example.com", "https://api.example.com", leeway=0)


def reason(token: str) -> str:
    try:
        AUTH.verify(token)
    except AuthError as refused:
        return refused.reason
    return "good"


def test_every_kind_of_token_in_one_line(doorward_tokens: Callable[..., TokenMint]) -> None:
    tokens = doorward_tokens(AUTH)
    kinds = {
        tokens.token(): "good",
        tokens.token(scopes=["a"], sub="usr_5", sid=None): "good",
        tokens.expired(): "expired",
        tokens.not_yet_valid(): "not_yet_valid",
        tokens.wrong_audience(): "audience",
        tokens.wrong_issuer(): "issuer",
        tokens.wrong_key(): "signature",
        tokens.unknown_key(): "unknown_key",
        tokens.unsigned(): "unsigned",
        tokens.id_token(): "type",
        tokens.token(exp=None): "claims",
    }
    assert {token: reason(token) for token in kinds} == kinds


def test_the_clock_moves_only_by_tick(doorward_tokens: Callable[..., TokenMint]) -> None:
    tokens = doorward_tokens(AUTH, now=1_000_000)
    token = tokens.token()
    assert AUTH.verify(token).issued_at == 1_000_000
    tokens.clock.tick(299)
    assert reason(token) == "good"
    tokens.clock.tick(1)
    assert reason(token) == "expired"


@pytest.mark.parametrize(
    "what", [{"sid": "ses_test"}, {"sub": "usr_test"}, {"client": "app_test"}, {"grant": "grt_test"}]
)
def test_a_revocation_in_one_line(doorward_tokens: Callable[..., TokenMint], what: dict[str, str]) -> None:
    tokens = doorward_tokens(AUTH)
    token = tokens.token()
    assert reason(token) == reason(token) == "good"
    tokens.revoke(**what)
    assert reason(token) == "revoked"


def test_each_test_has_its_own_key(doorward_tokens: Callable[..., TokenMint]) -> None:
    before = doorward_tokens(AUTH).token()
    assert reason(before) == "good"
    doorward_tokens(AUTH)
    assert reason(before) == "unknown_key"


PLUGIN_TEST = """
from doorward_verify import ResourceServer
auth = ResourceServer("https://auth.example.com", "https://api.example.com")
def test_it(doorward_tokens):
    tokens = doorward_tokens(auth)
    assert auth.verify(tokens.token(scopes=["a"])).scopes == {"a"}
"""


def test_it_loads_as_a_plugin_in_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "test_api.py").write_text(PLUGIN_TEST)
    installed = [
        found for found in entry_points(group="pytest11") if found.value == "doorward_verify.testing"
    ]
    by_hand = [] if installed else ["-p", "doorward_verify.testing"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *by_hand, "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(doorward_verify.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
