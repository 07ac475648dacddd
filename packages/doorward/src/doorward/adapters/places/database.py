"""Place database in the MaxMind DB format, which several vendors publish."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Final, cast, final

import maxminddb
from maxminddb.reader import Reader

from doorward.adapters.places.ranges import BadTable
from doorward.core.model.place import Place

_BROKEN: Final = (
    maxminddb.InvalidDatabaseError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
    OSError,
    struct.error,
)
"""What the reader raises for a damaged file, according to where the damage is."""
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_LONGEST: Final = 80


@final
class PlaceDatabase:
    """One open file. It is read, never mapped: a file that is overwritten in place gives errors, and does not end the process."""

    def __init__(self, path: Path) -> None:
        """Raises `BadTable` and OSError."""
        self._path = path
        # a file that may not be read is told apart from one that is damaged
        path.open("rb").close()
        try:
            # read in Python: the compiled reader would map the file
            self._reader = Reader(str(path), maxminddb.MODE_FILE)
            self.built = int(self._reader.metadata().build_epoch)
            """When the vendor built it, in seconds."""
            self._get: Callable[[IPv4Address | IPv6Address], Any] = self._reader.get  # pyright: ignore[reportUnknownMemberType]
        except _BROKEN as problem:
            raise BadTable(f"{path}: is no place database in the MaxMind DB format ({problem})") from None

    def find(self, address: IPv4Address | IPv6Address) -> Place | None:
        """The place of an address, or None. Raises `BadTable` when the file is damaged."""
        if address.version == 6 and self._reader.metadata().ip_version == 4:
            return None
        try:
            record: Any = self._get(address)
        except _BROKEN as problem:
            raise BadTable(f"{self._path}: is damaged ({problem!r})") from None
        return _place(cast("Mapping[str, Any]", record)) if isinstance(record, dict) else None

    def __del__(self) -> None:
        # a newer file has taken its place, and no question is left that reads this one
        reader: Reader | None = getattr(self, "_reader", None)
        if reader is not None:
            reader.close()


def _place(record: Mapping[str, Any]) -> Place | None:
    """The place in a record: of nested maps with `iso_code` and `names`, or of plain texts."""
    codes = (_text(_inner(record, "country", "iso_code")), _text(record.get("country_code")))
    country = next((code for code in codes if code and _COUNTRY.fullmatch(code)), None)
    if country is None:
        return None
    latitude = _degrees(_inner(record, "location", "latitude"), record.get("latitude"), record.get("lat"))
    longitude = _degrees(
        _inner(record, "location", "longitude"),
        record.get("longitude"),
        record.get("lng"),
        record.get("lon"),
    )
    known = latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180
    divisions: Any = record.get("subdivisions")
    region: Any = cast("list[Any]", divisions)[0] if isinstance(divisions, list) and divisions else None
    radius = _inner(record, "location", "accuracy_radius")
    return Place(
        country=country,
        region=_name(region) or _name(record.get("region")) or _name(record.get("state1")),
        city=_name(record.get("city")),
        latitude=latitude if known else None,
        longitude=longitude if known else None,
        radius=radius if known and isinstance(radius, int) and radius > 0 else None,
    )


def _inner(record: Mapping[str, Any], outer: str, name: str) -> Any:
    held = record.get(outer)
    return cast("Mapping[str, Any]", held).get(name) if isinstance(held, dict) else held


def _name(held: Any) -> str | None:
    """A name: plain, or the English one of several."""
    if isinstance(held, dict):
        held = _inner(cast("Mapping[str, Any]", held), "names", "en")
    return _text(held)


def _text(held: Any) -> str | None:
    if not isinstance(held, str):
        return None
    shown = "".join(c for c in held if c.isprintable()).strip()
    return shown[:_LONGEST] or None


def _degrees(*candidates: Any) -> float | None:
    for held in candidates:
        if isinstance(held, int | float | str) and not isinstance(held, bool):
            try:
                value = float(held)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
    return None
