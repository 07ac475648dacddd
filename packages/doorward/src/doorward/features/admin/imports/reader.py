"""Reader of a format: a function from the members of a record to a person, and facts about the format."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.hashes import HashConfig
from doorward.features.admin.imports.person import ImportedPerson


class ReadingContext(Struct, frozen=True, kw_only=True):
    """What a reader needs beside the record: the time in seconds, and the parameters of the project's hashes, if the format needs any."""

    now: int
    hash_config: HashConfig | None = None


class ImportReader(Struct, frozen=True, kw_only=True):
    """`read` gives None for a record that is no person's. `says_verified`: whether the format tells proven addresses from others.
    `needs_hash_config`: whether its hashes can only be checked with the parameters of the project."""

    name: str
    read: Callable[[Fields, ReadingContext], ImportedPerson | None]
    says_verified: bool = True
    needs_hash_config: bool = False


def email_of(fields: Fields, name: str) -> str:
    """The address, "" for none: whether that refuses the person depends on what else they sign in with (`prepare.py`)."""
    return fields.text(name) or ""


def whole_name(given: str | None, family: str | None) -> str | None:
    """Both names, for systems that have no other."""
    return " ".join(part for part in (given, family) if part) or None
