"""Type and range check of one setting's value, with a message that says what is expected."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import inspect

from doorward.core.model.secret import Secret

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class WrongValue(ValueError):
    """A wrong value. The text says what it should be, and quotes it only where it cannot be a secret."""


def coerce(value: object, kind: inspect.Type, *, text: bool) -> Any:
    """The value as the setting's type. With `text` it came from the environment and is always a string. Raises `WrongValue`."""
    if isinstance(kind, inspect.UnionType):
        # only unions with None are in use; "" in the environment is the way to unset
        inner = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
        return None if text and value == "" else coerce(value, inner, text=text)
    if isinstance(kind, inspect.BoolType):
        return _boolean(value, text=text)
    if isinstance(kind, inspect.IntType):
        return _integer(value, kind, text=text)
    if isinstance(kind, inspect.StrType):
        return _string(value, kind)
    if isinstance(kind, inspect.LiteralType):
        names = [str(name) for name in kind.values]
        if not isinstance(value, str) or value not in names:
            raise WrongValue(f"is {_shown(value)}; it can be {_either(names)}")
        return value
    if isinstance(kind, inspect.VarTupleType):
        parts: object = [part.strip() for part in str(value).split(",") if part.strip()] if text else value
        if not isinstance(parts, list):
            raise WrongValue(f'is {_shown(value)}; it should be a list, as in ["10.0.0.0/8"]')
        return tuple(coerce(part, kind.item_type, text=False) for part in parts)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(kind, inspect.DictType):
        table = _table(value, text=text)
        return {name: coerce(held, kind.value_type, text=False) for name, held in table.items()}
    if isinstance(kind, inspect.CustomType) and kind.cls is Secret:
        if not isinstance(value, str) or not value:
            raise WrongValue("should be text in quotes")
        return Secret(value)
    raise TypeError(f"no setting may have the type {kind}")


def _table(value: object, *, text: bool) -> dict[str, object]:
    """A table of the file, or a JSON object from the environment."""
    held = value
    if text:
        try:
            held = msgspec.json.decode(str(value).encode("utf-8", "replace"))
        except msgspec.MsgspecError:
            held = None
    if not isinstance(held, dict):
        like = '{"admin": ["cn=admins"]}' if text else "[…NAME.roles] with a line for each"
        raise WrongValue(f"is {_shown(value)}; it should be a table, as in {like}")
    return {str(name): one for name, one in cast("dict[str, object]", held).items()}


def _boolean(value: object, *, text: bool) -> bool:
    if isinstance(value, bool):
        return value
    if text and isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise WrongValue(f"is {_shown(value)}; it can be true or false")


def _integer(value: object, kind: inspect.IntType, *, text: bool) -> int:
    if text and isinstance(value, str):
        try:
            value = int(value.strip().replace("_", ""))
        except ValueError:
            raise WrongValue(f"is {_shown(value)}; it should be a whole number") from None
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValue(f"is {_shown(value)}; it should be a whole number (without quotes)")
    low, high = kind.ge, kind.le
    if (low is not None and value < low) or (high is not None and value > high):
        raise WrongValue(f"is {value}; it can be {_range(low, high)}")
    return value


def _string(value: object, kind: inspect.StrType) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"is {_shown(value)}; it should be text in quotes")
    if kind.min_length is not None and len(value) < kind.min_length:
        raise WrongValue("is empty" if not value else f"is too short: at least {kind.min_length} characters")
    if kind.max_length is not None and len(value) > kind.max_length:
        raise WrongValue(f"is too long: at most {kind.max_length} characters")
    return value


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else "a long text"
    return str(value) if isinstance(value, int | float) else "something else"
