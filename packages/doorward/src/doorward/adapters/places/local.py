"""Places and networks from the operator's files, which may be replaced at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar, final

from doorward.adapters.logs import logger
from doorward.adapters.places.ranges import AddressRanges, BadTable
from doorward.adapters.places.tables import country_ranges, listed_ranges
from doorward.core.model.place import NETWORK_KINDS, NetworkKind, Place, public_address
from doorward.core.ports.places import Places

T = TypeVar("T")
_REMEMBERED: Final = 16_384
_log = logger("places")


class CountryFinder(Protocol):
    """Where an address is. Raises `BadTable` when the file is damaged."""

    @property
    def built(self) -> int | None: ...
    def find(self, address: IPv4Address | IPv6Address) -> Place | None: ...


@final
class CountryTable:
    """Countries of address ranges."""

    def __init__(self, ranges: AddressRanges) -> None:
        self.ranges = ranges
        self.built: int | None = None

    def find(self, address: IPv4Address | IPv6Address) -> Place | None:
        """The country of an address, or None."""
        country = self.ranges.label(address)
        return None if country is None else Place(country)


@final
class WatchedFiles(Generic[T]):
    """What was read from some files; read again when one has changed. While they cannot be read, what was read before is kept."""

    def __init__(self, names: Sequence[str], read: Callable[[Sequence[Path]], T]) -> None:
        self.paths: Final = [Path(name) for name in names]
        self.value: T | None = None
        self.problem: str | None = None
        self._read = read
        self._seen: object = None

    def refresh(self) -> bool:
        """Read the files if they are not those of the last time: True if they were read. A problem is logged once."""
        if not self.paths:
            return False
        try:
            found = [path.stat() for path in self.paths]
            seen: object = [(one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns) for one in found]
            if seen == self._seen:
                return False
            self._seen = seen
            self.value, self.problem = self._read(self.paths), None
            _log.info("places.read", files=[str(path) for path in self.paths])
            return True
        except BadTable as problem:
            self.fail(str(problem))
        except OSError as problem:
            self._seen = None
            self.fail(f"{problem.filename}: cannot be read ({problem.strerror})")
        return False

    def fail(self, problem: str) -> None:
        """Note a problem of the files."""
        if problem != self.problem:
            _log.warning("places.unreadable", reason=problem)
        self.problem = problem


@final
class LocalPlaces(Places):
    """`Places` over a place database or tables of countries, and lists of networks. Nothing is read before the first `refresh` or question;
    after that, questions never wait for a file to be read again."""

    def __init__(
        self,
        *,
        database: str | None,
        countries: Sequence[str],
        networks: Mapping[NetworkKind, Sequence[str]],
    ) -> None:
        self._place: WatchedFiles[CountryFinder] = (
            WatchedFiles([database], _database)
            if database is not None
            else WatchedFiles(countries, _countries)
        )
        self._networks: Mapping[NetworkKind, WatchedFiles[AddressRanges]] = {
            kind: WatchedFiles(networks.get(kind, ()), _listed) for kind in NETWORK_KINDS
        }
        self._lock = threading.Lock()
        self._generation = 0
        # a sign-in is compared with those before it, which came from few addresses
        self._cached = lru_cache(maxsize=_REMEMBERED)(self._looked_up)

    def refresh(self) -> None:
        """Read the files that have changed. A table of all countries takes seconds: call it in a thread."""
        with self._lock:
            read = sum(files.refresh() for files in self._all())
            self._generation += 1 if read or not self._generation else 0

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with the files, as of the last `refresh`."""
        return [files.problem for files in self._all() if files.problem is not None]

    @property
    def built(self) -> int | None:
        """When the place database was built, in seconds; None without one."""
        place = self._place.value
        return None if place is None else place.built

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many ranges the tables and lists have, by `countries` and the kinds of networks; those without files are left out."""
        place = self._place.value
        held = {"countries": place.ranges} if isinstance(place, CountryTable) else {}
        held |= {kind: files.value for kind, files in self._networks.items() if files.value is not None}
        return {name: len(ranges) for name, ranges in held.items()}

    def find(self, address: str) -> Place | None:
        """Where this IP address is; None if that is not known."""
        asked = self._asked(address)
        return None if asked is None else self._cached(asked, self._generation)

    def _looked_up(self, asked: IPv4Address | IPv6Address, generation: int) -> Place | None:
        del generation
        place = self._place.value
        if place is None:
            return None
        try:
            return place.find(asked)
        except BadTable as problem:
            self._place.fail(str(problem))
            return None

    def network(self, address: str) -> NetworkKind | None:
        """The kind under which the operator listed the network of this IP address; None if it is in no list."""
        asked = self._asked(address)
        if asked is None:
            return None
        for kind, files in self._networks.items():
            if files.value is not None and files.value.label(asked) is not None:
                return kind
        return None

    def _asked(self, address: str) -> IPv4Address | IPv6Address | None:
        if not self._generation:
            self.refresh()
        return public_address(address)

    def _all(self) -> Sequence[WatchedFiles[CountryFinder] | WatchedFiles[AddressRanges]]:
        return [self._place, *self._networks.values()]


def _database(paths: Sequence[Path]) -> CountryFinder:
    # imported here: most servers have no place database
    from doorward.adapters.places.database import PlaceDatabase

    return PlaceDatabase(paths[0])


def _countries(paths: Sequence[Path]) -> CountryTable:
    return CountryTable(AddressRanges(entry for path in paths for entry in country_ranges(path)))


def _listed(paths: Sequence[Path]) -> AddressRanges:
    return AddressRanges(entry for path in paths for entry in listed_ranges(path))
