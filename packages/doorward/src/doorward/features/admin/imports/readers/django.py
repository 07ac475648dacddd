"""Reader of Django's `dumpdata` of a model of users, as JSON or JSON Lines. Django does not record whether an address was proven."""

from __future__ import annotations

from typing import Final, cast

from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields, invalid
from doorward.features.admin.imports.person import ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of, whole_name


def _read(record: Fields, reading: ReadingContext) -> ImportedPerson | None:
    del reading
    fields = record.object("fields")
    if not fields.holds("password") and not fields.holds("email"):
        # groups and permissions of the same dump
        return None
    key = record.value("pk")
    given, family = fields.text("first_name"), fields.text("last_name")
    text = fields.text("password") or ""
    # an exclamation mark: no password can be right
    usable = bool(text) and not text.startswith("!")
    hashed = hashes.recognise(text) if usable else None
    return ImportedPerson(
        email=email_of(fields, "email"),
        id=None if key is None else str(key),
        name=whole_name(given, family),
        given_name=given,
        family_name=family,
        disabled=fields.flag("is_active") is False,
        created_at=fields.moment("date_joined"),
        roles=_groups(fields) or None,
        password=hashed,
        password_unknown=usable and hashed is None,
    )


def _groups(fields: Fields) -> tuple[str, ...]:
    """The groups by natural key, which is a list of their name; numbers mean nothing outside of that database."""
    value: object = fields.value("groups") or []
    names: list[str] = []
    for one in cast("list[object]", value) if isinstance(value, list) else [value]:
        key = cast("list[object]", one) if isinstance(one, list) else [one]
        if len(key) != 1 or not isinstance(key[0], str):
            raise invalid("groups", "natural keys (names, not numbers)")
        names.append(key[0])
    return tuple(names)


READER: Final = ImportReader(name="django", read=_read, says_verified=False)
