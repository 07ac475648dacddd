"""Text files of countries and of networks, in each form that is published."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from doorward.adapters.places.ranges import AddressRanges, BadTable
from doorward.adapters.places.tables import country_ranges, listed_ranges

DELEGATED = """2|ripencc|1780000000|3|19830705|20260601|+0200
ripencc|*|ipv4|*|2|summary
# a comment
ripencc|FR|ipv4|2.0.0.0|1048576|20100712|allocated
ripencc|GB|ipv4|81.2.64.0|3072|20020101|allocated
ripencc|DE|ipv6|2a02:100::|29|20080101|allocated
ripencc|DE|asn|680|1|19930901|allocated
ripencc||ipv4|5.0.0.0|256||available
ripencc|EU|ipv4|6.0.0.0|256|20080101|allocated
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table"
    path.write_text(text, "utf-8")
    return path


def country(path: Path, address: str) -> str | None:
    return AddressRanges(country_ranges(path)).label(ip_address(address))


@pytest.mark.parametrize(
    "line",
    [
        "81.2.69.0,81.2.69.255,GB",
        '"81.2.69.0","81.2.69.255","GB","United Kingdom"',
        "81.2.69.0/24,GB",
        "1359103232,1359103487,GB,United Kingdom",
        "81.2.69.0 , 81.2.69.255 , gb",
    ],
)
@pytest.mark.parametrize("start", ["", "first,last,country\n", "# from somewhere\n\n", "\ufeff"])
def test_a_table_of_ranges_or_networks(tmp_path: Path, start: str, line: str) -> None:
    path = written(tmp_path, f"{start}{line}\n2a02:6b8::/32,RU\n7.0.0.0,7.0.0.9,ZZ\n")
    assert country(path, "81.2.69.255") == "GB"
    assert country(path, "81.2.70.0") is None
    assert country(path, "2a02:6b8::7") == "RU"
    assert country(path, "7.0.0.1") is None


def test_the_files_of_regional_registries(tmp_path: Path) -> None:
    path = written(tmp_path, DELEGATED)
    found = {
        text: country(path, text)
        for text in (
            "2.15.255.255",
            "2.16.0.0",
            "81.2.75.255",
            "81.2.76.0",
            "2a02:107:ffff::1",
            "5.0.0.1",
            "6.0.0.1",
        )
    }
    assert found == {
        "2.15.255.255": "FR",
        "2.16.0.0": None,
        "81.2.75.255": "GB",
        "81.2.76.0": None,
        "2a02:107:ffff::1": "DE",
        "5.0.0.1": None,
        "6.0.0.1": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c\nx,y,GB\n", "line 2: x is no IP address"),
        ("1.0.0.0,1.0.0.9,GB\n1.0.1.9,1.0.1.0,GB\n", "line 2: 1.0.1.0 is before 1.0.1.9"),
        ("1.0.0.0,1.0.0.9,GB\n1.0.1.0,1.0.1.9,Britain\n", "line 2: Britain is no country code"),
        ("1.0.0.0,1.0.0.9,GB\n1.0.1.0,1.0.\n", "line 2: expected first,last,COUNTRY"),
        ("1.0.0.0,1.0.0.9,GB\n1.0.1.0/33,GB\n", "line 2: 1.0.1.0/33 is no network"),
        ("2|ripencc|1\nripencc|FR|ipv4|2.0.0.0|-1|2010|allocated\n", "line 2: -1 is no count"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadTable, match=said):
        country(written(tmp_path, text), "1.0.0.1")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    for read in (country_ranges, listed_ranges):
        with pytest.raises(BadTable, match="no text file"):
            list(read(path))


def test_a_list_of_networks(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "# exits\n\n8.8.4.0/24\n 8.8.8.8  ; resolver\n2a00:1450::/32 # both\r\n9.9.9.9/24\n; more\n",
    )
    held = AddressRanges(listed_ranges(path))
    assert len(held) == 4
    inside = ("8.8.4.255", "8.8.8.8", "2a00:1450:ffff::1", "9.9.9.0")
    assert [held.label(ip_address(text)) for text in inside] == [""] * 4
    assert [held.label(ip_address(text)) for text in ("8.8.5.0", "8.8.8.9", "2a00:1451::")] == [None] * 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("example.com", "line 2: example.com is no network"),
        ("0.0.0.0/0", "line 2: 0.0.0.0/0 is too wide for a list; the widest is a /8"),
        ("2000::/3", "too wide for a list; the widest is a /16"),
    ],
)
def test_a_line_that_lists_nothing_or_everything_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(BadTable, match=said):
        list(listed_ranges(written(tmp_path, f"8.8.4.0/24\n{line}\n")))
