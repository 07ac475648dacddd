"""Settings of places and networks: `[places]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from doorward.core.model.section import Section, Surroundings


class PlacePolicy(Section, frozen=True, forbid_unknown_fields=True):
    """The operator's files about IP addresses. `database`: a place database in the MaxMind DB format. `countries`: text tables of ranges and
    countries instead. `hosting`, `anonymous`, `company`: lists of networks of each kind, one on a line."""

    files: ClassVar[frozenset[str]] = frozenset({"database", "countries", "hosting", "anonymous", "company"})

    database: str | None = None
    countries: tuple[str, ...] = ()
    hosting: tuple[str, ...] = ()
    anonymous: tuple[str, ...] = ()
    company: tuple[str, ...] = ()

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Two sources of places: it could not be said which of them counts."""
        del around
        if self.database is not None and self.countries:
            yield "places.database and places.countries both say where addresses are; keep one of them"
