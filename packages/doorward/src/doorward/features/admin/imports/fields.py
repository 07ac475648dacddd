"""Members of a record, read with a check of their type. Every refusal names the member, never its value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from doorward.features.admin.error import AdminError, nearest, refused

_TRUE: Final = frozenset({"true", "yes", "t", "1"})
_FALSE: Final = frozenset({"false", "no", "f", "0"})
_LATEST: Final = 100_000_000_000


class Fields:
    """The members of one record. A member that is null or "" is missing, as an empty cell of a table is."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = {name: value for name, value in members.items() if value is not None and value != ""}

    def only(self, known: Iterable[str]) -> None:
        """Refuse members beyond `known`: a misspelt one would be dropped in silence."""
        names = list(known)
        for name in self._members:
            if name not in names:
                raise refused("import_field_unknown", field=name[:80], near=nearest(name[:80], names))

    def holds(self, name: str) -> bool:
        """Whether the member is there."""
        return name in self._members

    def value(self, name: str) -> Any:
        """The member as it is; None when it is missing."""
        return self._members.get(name)

    def text(self, name: str) -> str | None:
        """A text without zero bytes and halves of surrogate pairs, which no database stores."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or "\0" in value or not _encodable(value):
            raise invalid(name, "text")
        return value

    def flag(self, name: str) -> bool | None:
        """True or false, also as a text."""
        value = self._members.get(name)
        if value is None or isinstance(value, bool):
            return value
        said = str(value).strip().lower()
        if said in _TRUE:
            return True
        if said in _FALSE:
            return False
        raise invalid(name, "true or false")

    def moment(self, name: str, *, unit: int = 1) -> int | None:
        """Seconds since the epoch: from a number (`unit` of them are a second), or from a time as in ISO 8601, in UTC unless it says
        otherwise."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST * unit:
            return int(value // unit)
        if isinstance(value, str) and len(value) < 64:
            try:
                at = datetime.fromisoformat(value.strip())
                seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
            except (ValueError, OverflowError):
                raise invalid(name, "a time") from None
            if 0 <= seconds < _LATEST:
                return int(seconds)
        raise invalid(name, "a time")

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts, or a text that separates them by commas."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(Fields({name: one}).text(name) or "" for one in self._list(name, value))

    def objects(self, name: str) -> tuple[Fields, ...]:
        """A list of objects, also one alone, or as JSON in a text."""
        value = self._members.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            value = self._json(name, value)
        found = self._list(name, [cast("object", value)] if isinstance(value, dict) else value)
        if not all(isinstance(one, dict) for one in found):
            raise invalid(name, "a list of objects")
        return tuple(Fields(cast("dict[str, Any]", one)) for one in found)

    def object(self, name: str) -> Fields:
        """One object, also as JSON in a text; one without members when it is missing."""
        value = self._members.get(name)
        if isinstance(value, str):
            value = self._json(name, value)
        if value is None:
            return Fields({})
        if not isinstance(value, dict):
            raise invalid(name, "an object")
        return Fields(cast("dict[str, Any]", value))

    def _json(self, name: str, text: str) -> object:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise invalid(name, "JSON") from None

    def _list(self, name: str, value: object) -> list[Any]:
        if not isinstance(value, list) or len(cast("list[Any]", value)) > 1000:
            raise invalid(name, "a list")
        return cast("list[Any]", value)


def invalid(name: str, expected: str) -> AdminError:
    """The refusal of a member that is something else than `expected`."""
    return refused("import_field_invalid", field=name, expected=expected)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
