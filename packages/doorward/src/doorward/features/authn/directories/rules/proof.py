"""Proof of a password that a directory checked: it ends with the connection to the directory (R94)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.signin import Proof
from doorward.features.authn.directories.settings import directory_issuer
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import shown_with

KIND: Final = "directory"
"""The kind of the row in `factors`, and of the proof."""
TRAITS: Final = FactorTraits(kind=KIND, amr=("pwd",), counts_for=frozenset({"known"}), comes_first=True)


def directory_mark(name: str) -> bytes:
    """What the row in `factors` has of the directory, so that one that is no longer in the settings is recognised."""
    return digest(directory_issuer(name))


def rows_of(rows: Sequence[EnrolledFactor], names: Collection[str]) -> list[EnrolledFactor]:
    """The rows of directories that are in the settings."""
    marks = {directory_mark(name) for name in names}
    return [row for row in rows if row.kind == KIND and row.code_hash in marks]


def proof_of(row: EnrolledFactor, at: int) -> Proof:
    """The proof by a bind at `at` (seconds)."""
    return shown_with(TRAITS, row, at)


def suspended(row: EnrolledFactor) -> bool:
    """Whether the directory said at the last question that the person is gone or disabled: `used_at` is since when."""
    return row.used_at is not None
