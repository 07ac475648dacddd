"""Tests of the requirements page: every mark names an existing requirement, every one in scope has a test, and the page is up to
date."""

from __future__ import annotations

from functools import cache

import pytest

from tools import requirements_page as pages

REQUIREMENTS = pages.load()
SHOWN = cache(pages.shown)
"""By requirement, the tests that show it; read when the first test asks, not by every worker that collects this file."""


def test_the_list_has_its_101_requirements_in_order() -> None:
    numbers = [line.number for _, lines in REQUIREMENTS.sections for line in lines]
    assert numbers == list(range(1, 102))
    assert all(
        line.text.strip() and line.source.strip() for _, lines in REQUIREMENTS.sections for line in lines
    )


def test_every_mark_names_a_requirement_of_the_list() -> None:
    strange = {n: tests for n, tests in SHOWN().items() if n not in REQUIREMENTS.numbers}
    assert not strange


def test_every_requirement_in_scope_has_a_test() -> None:
    texts = {line.number: line.text for _, lines in REQUIREMENTS.sections for line in lines}
    missing = [
        f"{number} {texts[number]}" for number in sorted(REQUIREMENTS.in_scope) if not SHOWN().get(number)
    ]
    assert not missing, "\n".join(["no test is marked with these requirements:", *missing])


def test_the_page_is_up_to_date() -> None:
    assert pages.PAGE.read_text("utf-8") == pages.page(REQUIREMENTS, SHOWN()), (
        "run `make pages` and commit the page"
    )


def test_marks_are_found_on_functions_classes_modules_and_parameters() -> None:
    source = """
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(4)]

@pytest.mark.requirement(1, 2)
async def test_a(): ...

@pytest.mark.requirement(3)
class TestB:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement(5))])
    def test_c(self, x): ...

def not_a_test(): ...
"""
    assert sorted(pages.marks_in(source, "t.py")) == [
        (1, "t.py::test_a"),
        (2, "t.py::test_a"),
        (3, "t.py::TestB::test_c"),
        (4, "t.py::TestB::test_c"),
        (4, "t.py::test_a"),
        (5, "t.py::TestB::test_c"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.requirement(LINE)\ndef test_a(): ...",
        "@pytest.mark.requirement()\ndef test_a(): ...",
        "@pytest.mark.requirement(*LINES)\ndef test_a(): ...",
        "shown = pytest.mark.requirement(3)\n@shown\ndef test_a(): ...",
        "@pytest.mark.requirement(3)\ndef shows_nothing(): ...",
    ],
)
def test_an_unreadable_mark_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="requirement"):
        pages.marks_in(source, "t.py")


def test_a_requirement_without_a_test_is_open_in_scope_and_later_outside() -> None:
    text = pages.page(REQUIREMENTS, {1: ["tests/x.py::test_one"]})
    rows = {
        int(row.split("|")[1]): row for row in text.splitlines() if row.startswith("| ") and row[2].isdigit()
    }
    assert "`x.py::test_one` | shown |" in rows[1]
    assert rows[2].endswith("**open** |")
    assert rows[27].endswith("later |")
    assert len(rows) == 101
