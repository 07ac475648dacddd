"""Text files of address ranges: countries, and lists of networks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doorward.adapters.places.ranges import BadTable, Range, number
from doorward.core.lean_import import Deferred

if TYPE_CHECKING:
    import csv
else:
    csv = Deferred("csv")

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_NO_COUNTRY: Final = frozenset({"", "-", "ZZ", "XX", "EU", "AP"})
"""What tables write for ranges of no country, of Europe, or of Asia and the Pacific."""
_WIDEST: Final = {4: 8, 6: 16}
"""A list with a wider network than this would have nearly everybody in it."""
_COMMENT: Final = re.compile(r"\s*(?:[#;].*)?$")


def country_ranges(path: Path) -> Iterator[Range]:
    """The ranges of a table of countries, each line in one of these forms:

    - `first,last,COUNTRY` or `network,COUNTRY`, where further columns are not read; addresses may be whole numbers;
    - `registry|COUNTRY|ipv4|first|count|…` or `registry|COUNTRY|ipv6|first|prefix length|…`, the statistics exchange format in which the
      regional Internet registries publish what they delegated.

    Comments begin with `#`; the first line may name the columns. Raises `BadTable` with the line's number, and OSError.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter="|" if "|" in first and "," not in first else ",")
            for row in rows:
                fields = [field.strip() for field in row]
                if not fields or not fields[0] or fields[0].startswith("#"):
                    continue
                try:
                    found = _delegated(fields) if "|" in first and "," not in first else _row(fields)
                except ValueError as problem:
                    if rows.line_num == 1:
                        continue
                    raise BadTable(f"{path}: line {rows.line_num}: {problem}") from None
                if found is not None:
                    yield found
        except (UnicodeDecodeError, csv.Error) as problem:
            raise BadTable(f"{path}: is no text file of lines ({problem})") from None


def listed_ranges(path: Path) -> Iterator[Range]:
    """The networks of a list: `203.0.112.0/20`, `2a00:1450::/32` or one address on a line, a comment after `#` or `;`.

    Raises `BadTable` with the line's number, and OSError.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            for at, line in enumerate(file, 1):
                text = _COMMENT.sub("", line).strip()
                if text:
                    try:
                        yield (*_ends(_listed(text)), "")
                    except ValueError as problem:
                        raise BadTable(f"{path}: line {at}: {problem}") from None
        except UnicodeDecodeError as problem:
            raise BadTable(f"{path}: is no text file of lines ({problem})") from None


def _listed(text: str) -> IPv4Network | IPv6Network:
    network = _network(text)
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError(
            f"{network} is too wide for a list; the widest is a /{_WIDEST[network.version]}. List the networks in it."
        )
    return network


def _row(fields: list[str]) -> Range | None:
    country_at = 1 if "/" in fields[0] else 2
    if len(fields) <= country_at:
        raise ValueError("expected first,last,COUNTRY or network,COUNTRY")
    if "/" in fields[0]:
        first, last = _ends(_network(fields[0]))
    else:
        first, last = number(_address(fields[0])), number(_address(fields[1]))
        if last < first:
            raise ValueError(f"{fields[1]} is before {fields[0]}")
    country = _country(fields[country_at])
    return None if country is None else (first, last, country)


def _delegated(fields: list[str]) -> Range | None:
    """A line of the statistics exchange format; None for other lines than those of ranges with a country."""
    if len(fields) < 7 or fields[2] not in {"ipv4", "ipv6"}:
        return None
    country = _country(fields[1])
    if country is None:
        return None
    if fields[2] == "ipv6":
        return (*_ends(_network(f"{fields[3]}/{fields[4]}")), country)
    first = number(_address(fields[3]))
    if not fields[4].isdecimal() or not 0 < int(fields[4]) <= 1 << 32:
        raise ValueError(f"{fields[4]} is no count of addresses")
    return first, first + int(fields[4]) - 1, country


def _country(text: str) -> str | None:
    code = text.upper()
    if code in _NO_COUNTRY:
        return None
    if not _COUNTRY.fullmatch(code):
        raise ValueError(f"{text} is no country code of two letters (ISO 3166-1)")
    return code


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(int(text) if text.isdecimal() else text)
    except ValueError:
        raise ValueError(f"{text} is no IP address") from None


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text} is no network, such as 203.0.112.0/20") from None


def _ends(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    return number(network.network_address), number(network.broadcast_address)
