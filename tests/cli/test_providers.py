"""Tests of `doorward provider list` and `doorward provider test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

SECTION = """
[providers.example]
issuer = "http://127.0.0.1:{port}"
label = "Example"
client_id = "me"
client_secret = "hunter2"
"""


@pytest.fixture
def with_provider(house: Path, free_port: int) -> int:
    """A provider in the settings, of which nothing answers; its port."""
    path = house / "doorward.toml"
    path.write_text(path.read_text("utf-8") + SECTION.format(port=free_port), "utf-8")
    return free_port


def test_without_a_section_the_list_says_what_to_do(run: Run) -> None:
    ended = run("provider", "list")
    assert ended.status == 0
    assert "[providers.NAME]" in ended.out


def test_the_list_has_the_redirect_uri_and_no_secret(run: Run, with_provider: int) -> None:
    ended = run("provider", "list", "--json")
    (one,) = ended.document
    assert one == {
        "name": "example",
        "label": "Example",
        "service": "openid",
        "issuer": f"http://127.0.0.1:{with_provider}",
        "client_id": "me",
        "redirect_uri": "http://127.0.0.1:9000/sign-in/provider/example/callback",
    }
    assert "hunter2" not in ended.out
    assert "/sign-in/provider/example/callback" in run("provider", "list").out


def test_a_provider_that_does_not_answer_is_reported(run: Run, with_provider: int) -> None:
    ended = run("provider", "test", "example")
    assert ended.status == 1
    assert f"http://127.0.0.1:{with_provider}/.well-known/openid-configuration" in ended.err
    assert "ConnectError" in ended.err


def test_a_name_that_is_not_there_is_answered_with_the_nearest(run: Run, with_provider: int) -> None:
    del with_provider
    ended = run("provider", "test", "exampel")
    assert ended.status == 1
    assert "Did you mean example?" in ended.err


def test_a_service_is_named_with_its_defaults(run: Run, house: Path, free_port: int) -> None:
    path = house / "doorward.toml"
    section = f"""
[providers.github]
client_id = "me"
client_secret = "hunter2"
userinfo_endpoint = "http://127.0.0.1:{free_port}/user"
"""
    path.write_text(path.read_text("utf-8") + section, "utf-8")
    (one,) = run("provider", "list", "--json").document
    assert (one["service"], one["label"], one["issuer"]) == (
        "github",
        "GitHub",
        "https://github.com/login/oauth",
    )


def test_a_service_that_does_not_exist_is_answered_with_those_that_do(run: Run, house: Path) -> None:
    path = house / "doorward.toml"
    section = '[providers.work]\nservice = "gihtub"\nclient_id = "me"\nclient_secret = "hunter2"\n'
    path.write_text(path.read_text("utf-8") + section, "utf-8")
    ended = run("provider", "list")
    assert ended.status == 1
    assert 'providers.work.service is "gihtub"' in ended.err
    assert "github" in ended.err
