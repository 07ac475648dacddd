"""Sections of the settings, as the folder that owns each declares it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar, cast, final

from msgspec import Struct


class Surroundings(Struct, frozen=True, kw_only=True):
    """The settings against which other sections are checked. `factor_kinds`: the kinds of second factors that people may add;
    `sends_mail`: mail reaches people, or the development outbox."""

    issuer: str
    development: bool
    sends_mail: bool
    factor_kinds: tuple[str, ...]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base class of sections. `files` are the settings that name a file, or several: a relative path is relative to the settings file.

    `one_of`: the section holds sections of this class, each under a name of the operator's; they are its only field, `by_name`.
    """

    files: ClassVar[frozenset[str]] = frozenset()
    one_of: ClassVar[type[Section] | None] = None

    @classmethod
    def named(cls, name: str, values: Mapping[str, Any]) -> Self:
        """The section to which the operator gave this name, with the values that they wrote. A class overrides it where the name or a value
        brings defaults of its own."""
        del name
        return cls(**values)

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Contradictions in the section and with its surroundings. Each sentence begins with the full name of the setting at fault."""
        del around
        return iter(())


S = TypeVar("S", bound=Section)


@final
class Sections:
    """The sections of one server, by their class."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self._by_class = {type(one): one for one in sections}

    def of(self, kind: type[S]) -> S:
        """The section of this class. Raises KeyError when the settings have none."""
        return cast("S", self._by_class[kind])

    def problems(self, around: Surroundings) -> Iterator[str]:
        """The contradictions of all of them."""
        for section in self._by_class.values():
            yield from section.problems(around)
