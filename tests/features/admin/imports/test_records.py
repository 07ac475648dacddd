"""Records of a file: what is read, what is refused with its line, and what a hostile file cannot do."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.problem import Problem
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports import records as rule
from doorward.features.admin.imports.records import MOST_LINE, records, sum_of


def read(data: bytes, *, table: bool = False) -> list[tuple[int, Any]]:
    """Line, and the members or the code of the problem."""
    found = records(io.BytesIO(data), table=table)
    return [
        (each.line, each.members.code if isinstance(each.members, Problem) else dict(each.members))
        for each in found.each
    ]


def test_a_broken_line_stops_nothing() -> None:
    data = b'{"email": "a"}\n{"email": \n\n[1]\n{"a": 1, "a": 2}\n{"email": "\xff"}\n{"email": "z"}'
    assert read(data) == [
        (1, {"email": "a"}),
        (2, "import_not_json"),
        (4, "import_not_json"),
        (5, "import_not_json"),
        (6, "import_not_text"),
        (7, {"email": "z"}),
    ]


def test_a_first_line_that_is_broken_does_not_make_the_file_another_format() -> None:
    assert read(b'{"email": "a" "b"}\n{"email": "z"}\n') == [(1, "import_not_json"), (2, {"email": "z"})]


def test_a_huge_line_is_skipped_and_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_PIECE", 4096)
    longest = 0

    class Watched(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            nonlocal longest
            line = super().readline(size)
            longest = max(longest, len(line))
            return line

    data = b'{"email": "a"}\n{"x": "' + b"y" * (5 * MOST_LINE) + b'"}\n{"email": "z"}\n'
    found = [each.members for each in records(Watched(data), table=False).each]
    assert [each.code if isinstance(each, Problem) else each for each in found] == [
        {"email": "a"},
        "import_line_too_long",
        {"email": "z"},
    ]
    assert longest <= MOST_LINE + 1


def test_a_document_lists_people_with_the_lines_where_they_begin() -> None:
    people = '[\n {"email": "a"},\n\n {"email":\n "b"}, 5, {"c": {"c": 1, "c": 2}}\n]'
    expected = [(2, {"email": "a"}), (4, {"email": "b"}), (5, "import_not_json"), (5, "import_not_json")]
    assert read(people.encode()) == expected
    assert read(f'{{"realm": "x", "users":{people}}}'.encode()) == expected
    one_line = json.dumps({"users": [{"email": "a"}, {"email": "b"}]}).encode()
    found = records(io.BytesIO(one_line), table=False)
    assert found.total == 2
    assert [(each.line, each.number) for each in found.each] == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'[{"email": "a"},', "import_file_not_json"),
        (b'{\n"people": []\n}', "import_file_not_json"),
        (b'{\n"users": 5\n}', "import_file_not_json"),
        (b"[" * 100_000, "import_file_not_json"),
        ('{"email": "a"}'.encode("utf-16"), "import_file_utf16"),
        ('{"email": "a"}'.encode("utf-16-le"), "import_file_utf16"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(data: bytes, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        read(data)
    assert caught.value.problem.code == code


def test_a_document_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "MOST_DOCUMENT", 10)
    with pytest.raises(AdminError) as caught:
        read(b'[{"email": "a"}]')
    assert caught.value.problem.code == "import_file_too_large"


def test_json_that_is_nested_too_deep_is_one_refused_line() -> None:
    data = b'{"email": "a"}\n{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b'}\n{"email": "z"}\n'
    assert [what for _, what in read(data)] == [{"email": "a"}, "import_not_json", {"email": "z"}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_by_its_header(separator: str) -> None:
    data = '\ufeffemail,name\r\na@example.com,"Ada ""L"", of\r\nLondon"\r\n\r\nb@example.com,\r\n'
    data = data.replace(",", separator)
    assert read(data.encode(), table=True) == [
        (2, {"email": "a@example.com", "name": f'Ada "L"{separator} of\nLondon'}),
        (5, {"email": "b@example.com", "name": ""}),
    ]


def test_a_quote_that_is_never_closed_loses_only_its_own_row() -> None:
    data = b'email,name\na,"open\nb,B\nc,C\n'
    assert read(data, table=True) == [
        (2, "import_row_open"),
        (3, {"email": "b", "name": "B"}),
        (4, {"email": "c", "name": "C"}),
    ]
    many = b'email,name\na,"open\n' + b"b,B\n" * 200
    assert len(read(many, table=True)) == 201


def test_a_row_with_other_cells_or_another_encoding_is_refused() -> None:
    data = b"email,name\na\na,b,c\nx\xff,y\n" + b"z," + b"w" * MOST_LINE + b"\nb,B\n"
    assert read(data, table=True) == [
        (2, "import_row_cells"),
        (3, "import_row_cells"),
        (4, "import_not_text"),
        (5, "import_line_too_long"),
        (6, {"email": "b", "name": "B"}),
    ]


@pytest.mark.parametrize("header", ["name,password", "email,email", "email,,name", '"email'])
def test_a_table_without_a_header_is_refused(header: str) -> None:
    found = []
    try:
        found = read(f"{header}\na,b\n".encode(), table=True)
    except AdminError as error:
        assert error.problem.code == "import_header_missing"  # noqa: PT017
    assert not [what for _, what in found if isinstance(what, dict)]


def test_a_file_has_the_same_sum_wherever_it_was_read_before() -> None:
    file = io.BytesIO(b"a\nb\nc")
    found = sum_of(file)
    assert (found.lines, len(found.sha256)) == (2, 64)
    assert file.tell() == 0


@given(
    st.binary(max_size=300) | st.text(alphabet='{}[]",:\n\\ aé\x00\ud7ff', max_size=200).map(str.encode),
    st.booleans(),
)
def test_any_file_is_read_or_refused(data: bytes, table: bool) -> None:
    try:
        found = read(b"email,name\n" + data if table else data, table=table)
    except AdminError as error:
        assert error.problem.code.startswith("import_")  # noqa: PT017
    else:
        assert all(line >= 1 for line, _ in found)
