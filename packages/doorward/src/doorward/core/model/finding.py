"""Finding of a check of `doorward doctor`."""

from __future__ import annotations

from msgspec import Struct


class Finding(Struct, frozen=True):
    """What a check found. With `ok` and a `fix` it is a warning."""

    ok: bool
    said: str
    fix: str = ""


def passed(said: str, fix: str = "") -> Finding:
    """Nothing is wrong; with `fix` something could be better."""
    return Finding(True, said, fix)


def failed(said: str, fix: str = "") -> Finding:
    """Something is wrong."""
    return Finding(False, said, fix)
