"""Tests of `doorward place lookup`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.mmdb import LONDON, write_mmdb

ADDRESS = "81.2.69.142"


@pytest.fixture
def files(house: Path) -> Path:
    write_mmdb(house / "city.mmdb", {"81.2.69.0/24": LONDON, "8.8.8.0/24": {"country_code": "US"}})
    (house / "exits.txt").write_text(f"{ADDRESS}\n", "utf-8")
    (house / "clouds.txt").write_text("81.2.0.0/16\n8.8.0.0/16\n", "utf-8")
    settings = house / "doorward.toml"
    section = (
        '[places]\ndatabase = "city.mmdb"\ncompany = ["exits.txt"]\nhosting = ["clouds.txt"]\n'
        'anonymous = ["vpn.txt"]\n'
    )
    settings.write_text(f"{settings.read_text('utf-8')}\n{section}", "utf-8")
    return house


def test_place_and_network_are_shown_with_the_files_that_say_so(run: Run, files: Path) -> None:
    (files / "vpn.txt").write_text("", "utf-8")
    ended = run("place", "lookup", ADDRESS)
    assert ended.status == 0, ended.err
    assert "London, England, GB (51.51, -0.09, give or take 10 km)" in ended.out
    assert "The first of these kinds counts: company, anonymous, hosting." in ended.out
    document = run("place", "lookup", ADDRESS, "--json").document
    assert document["network"] == "company"
    assert document["lists"] == [
        ["company", str(files / "exits.txt")],
        ["hosting", str(files / "clouds.txt")],
    ]
    assert document["problems"] == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.1.2.3", "not an address of the public Internet"),
        ("100.64.0.1", "not an address of the public Internet"),
        ("9.9.9.9", "No file of [places] has it. An unknown place is no signal."),
        ("8.8.8.8", "network  hosting"),
    ],
)
def test_what_is_known_and_why(run: Run, files: Path, address: str, said: str) -> None:
    (files / "vpn.txt").write_text("", "utf-8")
    shown = " ".join(run("place", "lookup", address).out.split())
    assert " ".join(said.split()) in shown


def test_a_file_that_cannot_be_read_is_named(run: Run, files: Path) -> None:
    ended = run("place", "lookup", ADDRESS)
    assert ended.status == 0
    assert f"{files / 'vpn.txt'}: cannot be read" in " ".join(ended.out.split())


def test_the_doctor_has_a_line_and_no_other_output(run: Run, files: Path) -> None:
    run("migrate")
    (line,) = [one for one in run("doctor", "--json").document["checks"] if one["name"] == "places"]
    assert (line["ok"], "vpn.txt: cannot be read" in line["said"]) == (False, True)


def test_without_a_section_the_answer_says_so(run: Run) -> None:
    assert "The settings have no section [places]." in run("place", "lookup", ADDRESS).out


def test_a_text_that_is_no_address_is_refused(run: Run) -> None:
    ended = run("place", "lookup", "example.com")
    assert ended.status == 1
    assert "example.com is no IP address." in ended.err


def test_both_sources_of_places_are_refused(run: Run, house: Path) -> None:
    settings = house / "doorward.toml"
    both = '[places]\ndatabase = "a.mmdb"\ncountries = ["b.csv"]\n'
    settings.write_text(f"{settings.read_text('utf-8')}\n{both}", "utf-8")
    ended = run("place", "lookup", ADDRESS)
    assert ended.status != 0
    assert "keep one of them" in ended.err
