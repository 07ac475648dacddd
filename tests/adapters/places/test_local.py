"""Places and networks from files that are replaced, damaged and missing."""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.places.database import PlaceDatabase
from doorward.adapters.places.local import LocalPlaces
from doorward.adapters.places.ranges import BadTable
from doorward.core.model.place import NetworkKind, Place
from tests.logged import captured
from tests.mmdb import LONDON, write_mmdb

Lines = list[MutableMapping[str, Any]]
ADDRESS, V6 = "81.2.69.142", "2a02:6b8::1"
HERE = Place("GB", "England", "London", 51.5142, -0.0931, 10)


@pytest.fixture
def logged() -> Generator[Lines]:
    with captured() as lines:
        yield lines


def reasons(logged: Lines) -> list[str]:
    return [one["reason"] for one in logged if one["event"] == "places.unreadable"]


def database(path: Path) -> LocalPlaces:
    return LocalPlaces(database=str(path), countries=(), networks={})


def lists(**files: Path) -> LocalPlaces:
    kinds: list[NetworkKind] = ["hosting", "anonymous", "company"]
    return LocalPlaces(
        database=None, countries=(), networks={kind: [str(files[kind])] for kind in kinds if kind in files}
    )


@pytest.mark.parametrize("version", [4, 6])
def test_a_city_database_gives_city_and_position(tmp_path: Path, version: int) -> None:
    path = write_mmdb(tmp_path / "city.mmdb", {"81.2.69.0/24": LONDON}, version=version)
    places = database(path)
    assert places.find(ADDRESS) == HERE
    assert places.find(f"::ffff:{ADDRESS}") == HERE
    assert places.find("81.2.70.1") is None
    assert places.find(V6) is None
    assert places.problems == []
    assert places.built == 1_780_000_000


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"country": {"iso_code": "GB"}}, Place("GB")),
        ({"country_code": "GB"}, Place("GB")),
        ({"country": "United Kingdom", "country_code": "GB"}, Place("GB")),
        ({"country": "GB", "region": "England", "city": "London", "lat": "51.5142", "lng": "-0.0931"},
         Place("GB", "England", "London", 51.5142, -0.0931)),
        ({"country_code": "GB", "state1": "England", "city": "London", "latitude": 51.5142, "longitude": -0.0931},
         Place("GB", "England", "London", 51.5142, -0.0931)),
        # half a position, and one that is none on Earth
        ({"country": {"iso_code": "GB"}, "location": {"latitude": 51.5}}, Place("GB")),
        ({"country": {"iso_code": "GB"}, "location": {"latitude": 91.0, "longitude": 0.0}}, Place("GB")),
        ({"country_code": "GB", "lat": "nan", "lng": "1"}, Place("GB")),
        # without a country there is no place
        ({"location": {"latitude": 51.5, "longitude": 0.1}}, None),
        ({"country": {"names": {"en": "Nowhere"}}}, None),
        ({"country": "gb\u202e"}, None),
        ("GB", None),
        # a name cannot turn the text around it
        ({"country_code": "GB", "city": "Lon\u202edon\n"}, Place("GB", city="London")),
        ({"country_code": "GB", "city": "x" * 200}, Place("GB", city="x" * 80)),
    ],
)  # fmt: skip
def test_records_of_several_vendors(tmp_path: Path, record: object, place: Place | None) -> None:
    assert database(write_mmdb(tmp_path / "x.mmdb", {"81.2.69.0/24": record})).find(ADDRESS) == place


def test_addresses_that_are_not_public_have_no_place_and_no_network(tmp_path: Path) -> None:
    """A private address is no signal (authentik#12214), whatever the files say."""
    private = {"10.0.0.0/8": LONDON, "100.64.0.0/10": LONDON, "192.0.2.0/24": LONDON, "fd00::/8": LONDON}
    path = write_mmdb(tmp_path / "city.mmdb", private)
    listed = tmp_path / "hosting.txt"
    listed.write_text("10.0.0.0/8\n100.64.0.0/10\n192.0.2.0/24\nfd00::/16\n", "utf-8")
    places = LocalPlaces(database=str(path), countries=(), networks={"hosting": [str(listed)]})
    for address in ("10.1.2.3", "100.64.1.1", "192.0.2.1", "fd00::1", "unix:", ""):
        assert places.find(address) is None
        assert places.network(address) is None


def test_a_company_exit_is_that_though_it_is_rented(tmp_path: Path) -> None:
    for kind, text in {"hosting": "81.2.0.0/16", "anonymous": "81.2.69.0/24", "company": ADDRESS}.items():
        (tmp_path / kind).write_text(f"{text}\n", "utf-8")
    places = lists(**{kind: tmp_path / kind for kind in ("hosting", "anonymous", "company")})
    found = [places.network(text) for text in (ADDRESS, "81.2.69.1", "81.2.1.1", "81.3.1.1")]
    assert found == ["company", "anonymous", "hosting", None]
    assert places.sizes == {"company": 1, "anonymous": 1, "hosting": 1}


def test_a_file_that_is_replaced_is_taken_up(tmp_path: Path, logged: Lines) -> None:
    path = write_mmdb(tmp_path / "city.mmdb", {"81.2.69.0/24": LONDON})
    places = database(path)
    assert places.find(ADDRESS) == HERE
    places.refresh()
    assert [one["event"] for one in logged] == ["places.read"], "an unchanged file is not read again"
    write_mmdb(tmp_path / "new", {"81.2.69.0/24": {"country_code": "FR"}}).replace(path)
    assert places.find(ADDRESS) == HERE, "the open file is still that of before"
    places.refresh()
    assert places.find(ADDRESS) == Place("FR")


@pytest.mark.parametrize("text", ["", "nonsense\n", None])
def test_a_broken_or_missing_file_never_stops_a_question(
    tmp_path: Path, text: str | None, logged: Lines
) -> None:
    city, listed = tmp_path / "city.mmdb", tmp_path / "hosting.txt"
    places = LocalPlaces(database=str(city), countries=(), networks={"hosting": [str(listed)]})
    if text is not None:
        city.write_text(text, "utf-8")
        listed.write_text("not a network\n", "utf-8")
    for _ in range(3):
        assert places.find(ADDRESS) is None
        assert places.network(ADDRESS) is None
        places.refresh()
    assert reasons(logged) == list(places.problems)
    assert [str(city) in places.problems[0], str(listed) in places.problems[1]] == [True, True]
    write_mmdb(city, {"81.2.69.0/24": LONDON})
    listed.write_text("81.2.69.0/24\n", "utf-8")
    places.refresh()
    assert (places.find(ADDRESS), places.network(ADDRESS), places.problems) == (HERE, "hosting", [])


def test_while_a_new_file_is_broken_the_old_content_counts(tmp_path: Path) -> None:
    listed = tmp_path / "hosting.txt"
    listed.write_text("81.2.69.0/24\n", "utf-8")
    places = lists(hosting=listed)
    assert places.network(ADDRESS) == "hosting"
    listed.write_text("81.2.69.0/24\n81.2.", "utf-8")
    places.refresh()
    assert places.network(ADDRESS) == "hosting"
    assert places.problems == [f"{listed}: line 2: 81.2. is no network, such as 203.0.112.0/20"]


def test_a_database_that_is_damaged_in_place_gives_no_place(tmp_path: Path, logged: Lines) -> None:
    path = write_mmdb(tmp_path / "city.mmdb", {"81.2.69.0/24": LONDON})
    places, opened = database(path), PlaceDatabase(path)
    assert places.find(ADDRESS) == HERE
    whole = path.read_bytes()
    seen = 0
    for at in range(whole.index(b"\0" * 16), whole.index(b"\xab\xcd\xef")):
        for value in (0x00, 0x20, 0xFF):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                opened.find(ip_address(ADDRESS))
            except BadTable as problem:
                seen += str(path) in str(problem)
    assert seen > 10, "some of these changes are seen at the question"
    path.write_bytes(b"")
    assert places.find("81.2.69.1") is None
    assert reasons(logged)
    assert places.find(ADDRESS) == HERE, "answers of before are kept until the file is replaced"


def test_countries_may_come_from_several_tables(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("81.2.0.0/16,GB\n", "utf-8")
    two.write_text("ripencc|RU|ipv6|2a02:6b8::|32|2008|allocated\n", "utf-8")
    places = LocalPlaces(database=None, countries=[str(one), str(two)], networks={})
    assert (places.find(ADDRESS), places.find(V6)) == (Place("GB"), Place("RU"))
    assert places.sizes == {"countries": 2}
