"""Records of a file, each with the number of its line: JSON Lines, JSON, or a table.

A record that cannot be read is one refused line, and the next one is read as if it had not been there. Whatever the file holds, a bounded
amount of it is in memory: a line, or a JSON document of at most `MOST_DOCUMENT` bytes.
"""

from __future__ import annotations

import csv
import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, cast

import msgspec
from msgspec import Struct

from doorward.core.model.problem import Problem, problem
from doorward.features.admin.error import refused
from doorward_verify.encoding import Malformed, json_object

MOST_LINE: Final = 256 * 1024
"""Bytes of one line or record."""
MOST_DOCUMENT: Final = 512 * 1024 * 1024
"""Bytes of a file that is one JSON document, which has to be read whole."""
MOST_LINES: Final = 50
"""Lines of one record of a table: a text in quotes may hold line breaks, and a quote that is never closed must not take the rest."""
_PIECE: Final = 1024 * 1024
_SEPARATORS: Final = ",;\t"
_MARK: Final = b"\xef\xbb\xbf"


class ImportRecord(Struct, frozen=True):
    """The members of a record, or why it cannot be read. `line` is where it begins, `number` the how-manieth it is, both from 1: a JSON
    document may be one line."""

    line: int
    number: int
    members: Mapping[str, Any] | Problem


class FileSum(Struct, frozen=True):
    """SHA-256 of a file in hex, and the number of its lines."""

    sha256: str
    lines: int


def sum_of(file: BinaryIO) -> FileSum:
    """Reads the file to its end, and goes back to its beginning."""
    digest, lines = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        lines += piece.count(b"\n")
    file.seek(0)
    return FileSum(digest.hexdigest(), lines)


class ImportRecords(Struct, frozen=True):
    """The records of a file, and how many they are, if that is known before they are read."""

    each: Iterator[ImportRecord]
    total: int | None = None


_Found = tuple[int, Mapping[str, Any] | Problem]
"""Line and members."""


def records(file: BinaryIO, *, table: bool) -> ImportRecords:
    """All records, from the beginning of the file; `table`: comma-separated values. Raises `AdminError` where the file as a whole cannot
    be read, for a table at the first record."""
    start = file.read(_PIECE)
    file.seek(len(_MARK) if start.startswith(_MARK) else 0)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:2]:
        raise refused("import_file_utf16")
    if table:
        return ImportRecords(_numbered(_rows(file)))
    first = start.removeprefix(_MARK).lstrip()
    if first.startswith(b"[") or (first.startswith(b"{") and not _is_line(first)):
        data, items = _items(file)
        return ImportRecords(_numbered(_each_item(data, items)), len(items))
    return ImportRecords(_numbered(_json_lines(file)))


def _numbered(found: Iterator[_Found]) -> Iterator[ImportRecord]:
    for number, (line, members) in enumerate(found, 1):
        yield ImportRecord(line, number, members)


def _is_line(first: bytes) -> bool:
    """Whether the first line is a record of JSON Lines, and not (a part of) a document that lists people."""
    line, _, rest = first.partition(b"\n")
    try:
        members = json_object(line.strip())
    except Malformed:
        # a broken first line, unless it may be the beginning of a document that goes on
        return bool(rest) and line.strip() not in {b"{", b"["} and line.rstrip().endswith(b"}")
    return not isinstance(members.get("users"), list)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines without their ends; None for one that is too long, which is skipped without being held."""
    number = 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        if len(line) <= MOST_LINE or line.endswith(b"\n"):
            yield number, line.rstrip(b"\r\n")
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_PIECE)
        yield number, None


def _json_lines(file: BinaryIO) -> Iterator[_Found]:
    for number, line in _lines(file):
        if line is None:
            yield number, problem("import_line_too_long", limit=MOST_LINE)
        elif line.strip():
            yield number, _object(line)


def _object(text: bytes) -> Mapping[str, Any] | Problem:
    try:
        text.decode()
        return json_object(text)
    except UnicodeDecodeError:
        return problem("import_not_text")
    except Malformed as error:
        return problem("import_not_json", reason=str(error))


def _items(file: BinaryIO) -> tuple[bytes, list[msgspec.Raw]]:
    """The file, and the parts of it that are the listed people."""
    data = file.read(MOST_DOCUMENT + 1)
    if len(data) > MOST_DOCUMENT:
        raise refused("import_file_too_large", limit=MOST_DOCUMENT)
    try:
        if data.lstrip().startswith(b"["):
            return data, msgspec.json.decode(data, type=list[msgspec.Raw])
        return data, msgspec.json.decode(data, type=_Document).users
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise refused("import_file_not_json") from None


def _each_item(data: bytes, found: list[msgspec.Raw]) -> Iterator[_Found]:
    line, at = 1, 0
    for raw in found:
        text = bytes(raw)
        begins = data.find(text, at)
        line += data.count(b"\n", at, begins)
        at = begins
        too_long = len(text) > MOST_LINE
        yield line, problem("import_line_too_long", limit=MOST_LINE) if too_long else _object(text)


class _Document(Struct):
    users: list[msgspec.Raw]


def _rows(file: BinaryIO) -> Iterator[_Found]:
    pushed: deque[tuple[int, bytes | None]] = deque()
    lines = _lines(file)
    names: list[str] | None = None
    separator = ","
    while (one := _next(pushed, lines)) is not None:
        number, line = one
        if line is None:
            yield number, problem("import_line_too_long", limit=MOST_LINE)
            continue
        if not line.strip():
            continue
        try:
            text = _whole_row(line, pushed, lines)
        except UnicodeDecodeError:
            yield number, problem("import_not_text")
            continue
        if text is None:
            yield number, problem("import_row_open")
        elif names is None:
            separator = max(_SEPARATORS, key=text.count)
            names = _header(_cells(text, separator))
        else:
            yield number, _row(names, _cells(text, separator))


def _next(
    pushed: deque[tuple[int, bytes | None]], lines: Iterator[tuple[int, bytes | None]]
) -> tuple[int, bytes | None] | None:
    return pushed.popleft() if pushed else next(lines, None)


def _whole_row(
    line: bytes, pushed: deque[tuple[int, bytes | None]], lines: Iterator[tuple[int, bytes | None]]
) -> str | None:
    """The row that begins with `line`, over several lines where a quote is open; None where it stays open: then only this line is lost, the
    others are read again."""
    text, taken = line.decode(), list[tuple[int, bytes | None]]()
    while text.count('"') % 2:
        more = _next(pushed, lines)
        if more is not None:
            taken.append(more)
        if more is None or more[1] is None or len(taken) > MOST_LINES or len(text) > MOST_LINE:
            pushed.extendleft(reversed(taken))
            return None
        try:
            text += "\n" + more[1].decode()
        except UnicodeDecodeError:
            pushed.extendleft(reversed(taken))
            return None
    return text


def _cells(text: str, separator: str) -> list[str] | None:
    csv.field_size_limit(4 * MOST_LINE)
    try:
        rows = list(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _header(cells: list[str] | None) -> list[str]:
    """The names of the columns. Raises `AdminError` for a line that is no header."""
    names = [cell.strip() for cell in cells or []]
    if "email" not in names or len(set(names)) != len(names) or not all(names):
        raise refused("import_header_missing")
    return names


def _row(names: list[str], cells: list[str] | None) -> Mapping[str, Any] | Problem:
    if cells is None or len(cells) != len(names):
        found = 0 if cells is None else len(cells)
        return problem("import_row_cells", count=found, columns=len(names))
    return cast("Mapping[str, Any]", dict(zip(names, cells, strict=True)))
