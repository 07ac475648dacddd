"""Tests of `doorward directory list` and `doorward directory test`, and of the line of `doorward doctor`."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.slapd import BASE, GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd, group, person, slapd

SECTION = """
[directories.corp]
label = "Example Corp"
urls = ["ldap://127.0.0.1:{port}"]
ca_file = "{ca_file}"
bind_dn = "{bind_dn}"
bind_password_file = "{password_file}"
base_dn = "{base}"
email_domains = ["example.com"]

[directories.corp.roles]
writer = ["outer"]
"""


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    """A directory with Bob, who is in a group in a group."""
    bob = f"uid=bob,{PEOPLE}"
    groups = f"{group('inner', bob)}\n{group('outer', f'cn=inner,{GROUPS}')}"
    with slapd(
        tmp_path_factory.mktemp("corp"), load=f"{person('bob', mail='bob@example.com')}\n{groups}"
    ) as server:
        yield server


@pytest.fixture
def settings(house: Path, corp: Slapd) -> Path:
    """The settings with that directory."""
    path, password = house / "doorward.toml", house / "directory-password"
    password.write_text(SERVICE_PASSWORD, "utf-8")
    section = SECTION.format(
        port=corp.port, ca_file=corp.ca_file, bind_dn=SERVICE, password_file=password, base=BASE
    )
    path.write_text(path.read_text("utf-8") + section, "utf-8")
    return path


def test_without_a_section_the_list_says_what_to_do(run: Run) -> None:
    ended = run("directory", "list")
    assert ended.status == 0
    assert "[directories.NAME]" in ended.out


def test_the_list_says_how_many_wrong_passwords_it_sees_and_no_secret(run: Run, settings: Path) -> None:
    assert settings.is_file()
    ended = run("directory", "list", "--json")
    (one,) = ended.document
    assert (one["name"], one["base_dn"]) == ("corp", BASE)
    assert one["wrong_passwords"] == "3 in 30 minutes, and 2 in 20 from devices known to the person"
    assert SERVICE_PASSWORD not in ended.out


def test_a_trial_counts_the_people_and_shows_who_signs_in_by_a_name(run: Run, settings: Path) -> None:
    assert settings.is_file()
    ended = run("directory", "test", "corp", "--json")
    assert ended.status == 0, ended.err
    assert ended.document["people"] == 1
    bob = run("directory", "test", "corp", "--login", "BOB", "--json").document
    assert (bob["dn"], bob["email"], bob["roles"]) == (f"uid=bob,{PEOPLE}", "bob@example.com", ["writer"])
    nobody = run("directory", "test", "corp", "--login", "nobody")
    assert nobody.status == 1
    assert "finds nobody" in nobody.err


def test_a_wrong_base_and_a_server_that_is_away_are_reported(run: Run, settings: Path, corp: Slapd) -> None:
    text = settings.read_text("utf-8")
    settings.write_text(text.replace(f'base_dn = "{BASE}"', f'base_dn = "ou=nobody,{BASE}"'), "utf-8")
    ended = run("directory", "test", "corp")
    assert ended.status == 1
    assert "check base_dn" in ended.err
    settings.write_text(text.replace(str(corp.port), "1"), "utf-8")
    ended = run("directory", "test", "corp")
    assert ended.status == 1
    assert "connection refused" in ended.err
    assert "connection refused" in run("doctor").out


def test_a_name_that_is_not_there_is_answered_with_the_nearest(run: Run, settings: Path) -> None:
    assert settings.is_file()
    ended = run("directory", "test", "crop")
    assert ended.status == 1
    assert "Did you mean corp?" in ended.err
