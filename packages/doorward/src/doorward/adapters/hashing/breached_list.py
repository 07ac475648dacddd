"""Breached password list: a file of SHA-1 hashes of any size, searched on disk."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Final, final

_LINE: Final = re.compile(rb"([0-9A-Fa-f]{10,40})(?::\d+)?")
_SHORTEST: Final = 10
_SAMPLES: Final = 2048


class BadBreachList(ValueError):
    """The file is invalid; the text says where and how to fix it."""


@final
class BreachFile:
    """`BreachedList` over one file: a line for each password, its SHA-1 in hex, or the first 10 or more digits of it,
    sorted, optionally followed by `:count`. That is the published "ordered by hash" form, from ten lines to tens of
    gigabytes.

    The file is mapped, not read: a query reads some forty places. To update it, rename a new file over it, and restart.
    """

    def __init__(self, path: Path) -> None:
        """Raises `BadBreachList` for a line that is not a hash or is out of order (checks all lines of a small file, a
        sample of a large one), and OSError."""
        self._path = path
        with path.open("rb") as file:
            self._size = file.seek(0, 2)
            # an empty file cannot be mapped
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._size else b""
        self._check()

    def contains(self, sha1_hex: str) -> bool:
        """Whether the hash, or the prefix of it that the list stores, is present."""
        wanted = sha1_hex.upper().encode("ascii", "replace")
        low, high = 0, self._size
        # Invariant: a line that could match begins in [low, high).
        while low < high:
            start, after = self._line(low + (high - low) // 2)
            entry = self._entry(start, after)
            if wanted.startswith(entry):
                return True
            if entry < wanted:
                low = after
            else:
                high = start
        return False

    def close(self) -> None:
        """Close the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def _line(self, at: int) -> tuple[int, int]:
        start = self._data.rfind(b"\n", 0, at) + 1
        end = self._data.find(b"\n", at)
        return start, self._size if end < 0 else end + 1

    def _entry(self, start: int, after: int) -> bytes:
        found = _LINE.fullmatch(self._data[start:after].strip())
        if found is None:
            number = self._data[:start].count(b"\n") + 1 if start < 50_000_000 else None
            where = f"line {number}" if number else f"byte {start}"
            raise BadBreachList(
                f"{self._path}: {where} is no SHA-1 in hex ({_SHORTEST} to 40 digits, optionally :count)."
            )
        return found.group(1).upper()

    def _check(self) -> None:
        before = b""
        step = max(1, self._size // _SAMPLES)
        at = 0
        while at < self._size:
            start, after = self._line(at)
            entry = self._entry(start, after)
            if entry < before:
                raise BadBreachList(
                    f"{self._path}: not sorted at byte {start}. Sort it: LC_ALL=C sort -f -o {self._path.name} {self._path.name}"
                )
            before = entry
            at = after if self._size < 1_000_000 else max(after, at + step)


@final
class NothingListed:
    """`BreachedList` without entries."""

    def contains(self, sha1_hex: str) -> bool:
        """Always False."""
        del sha1_hex
        return False


def open_list(path: str | None) -> BreachFile | None:
    """The operator's list, or None when there is none. Raises `BadBreachList` and OSError."""
    return None if path is None else BreachFile(Path(path))
