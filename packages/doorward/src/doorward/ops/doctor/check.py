"""One line of `doorward doctor`."""

from __future__ import annotations

from msgspec import Struct


class Check(Struct, frozen=True):
    """With `ok` and a `fix` it is a warning."""

    name: str
    ok: bool
    said: str
    fix: str = ""
