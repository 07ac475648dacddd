"""Test of structs with abstract methods."""

from __future__ import annotations

from abc import abstractmethod

import pytest

from doorward.core.abstract_struct import AbstractStruct


class _Shape(AbstractStruct, frozen=True, kw_only=True):
    name: str

    @abstractmethod
    def area(self) -> int: ...


class _Square(_Shape, frozen=True, kw_only=True):
    side: int

    def area(self) -> int:
        return self.side**2


def test_a_class_with_an_abstract_method_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract method"):
        _Shape(name="none")  # pyright: ignore[reportAbstractUsage]


def test_its_subclass_is_a_frozen_struct() -> None:
    square = _Square(name="one", side=3)
    assert (square.area(), square) == (9, _Square(name="one", side=3))
    assert not hasattr(square, "__dict__")
    with pytest.raises(AttributeError):
        square.side = 4  # pyright: ignore[reportAttributeAccessIssue]
