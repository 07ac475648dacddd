"""Base of structs with abstract methods."""

from __future__ import annotations

from abc import ABCMeta

from msgspec import Struct, StructMeta


class _AbstractStructMeta(StructMeta, ABCMeta):
    """The metaclass of both kinds of class, since Python asks for one that is derived from both."""


class AbstractStruct(Struct, frozen=True, metaclass=_AbstractStructMeta):
    """A frozen `Struct` whose subclasses may have abstract methods, as `abc.ABC` for plain classes. A class with one that is not implemented
    cannot be made: `TypeError`."""
