"""Tests of docs/reference/asvs-6.md: all requirements of levels 1 and 2 are listed, and every test that the page names exists."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

from tests.repository import tree

PAGE: Final = (tree.DOCS / "reference" / "asvs-6.md").read_text("utf-8")
TESTS: Final = tree.ROOT / "tests"

# OWASP ASVS 5.0.0, chapter 6: the numbers of each section by level.
LEVEL_1: Final = {1: {1}, 2: set(range(1, 9)), 3: {1, 2}, 4: {1, 2}}
LEVEL_2: Final = {
    1: {2, 3},
    2: {9, 10, 11, 12},
    3: {3, 4},
    4: {3, 4},
    5: {1, 2, 3, 4, 5},
    6: {1, 2, 3},
    8: {1, 2, 3, 4},
}
LISTED: Final = sorted(
    ((section, number), level)
    for level, sections in ((1, LEVEL_1), (2, LEVEL_2))
    for section, numbers in sections.items()
    for number in numbers
)
SHOWN: Final = {"shown", "operator", "partly"}
_ROW: Final = re.compile(
    r"^\| 6\.(\d+)\.(\d+) \| (\d) \| [^|]+ \| (shown|operator|partly|no such part) \| ([^|]+) \|$",
    re.MULTILINE,
)
_TEST: Final = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> list[tuple[tuple[int, int], int, str, str]]:
    """Section and number, level, status, and the last cell."""
    return [((int(a), int(b)), int(level), status, why) for a, b, level, status, why in _ROW.findall(PAGE)]


@cache
def _functions(path: Path) -> frozenset[str]:
    parsed = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name for node in ast.walk(parsed) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_requirement_of_levels_1_and_2_is_listed_once_and_in_order() -> None:
    assert [(at, level) for at, level, _, _ in rows()] == LISTED
    assert PAGE.count("\n| 6.") == len(LISTED)


def test_each_line_names_tests_that_exist_or_says_why_there_are_none() -> None:
    for at, _, status, why in rows():
        named = _TEST.findall(why)
        assert bool(named) is (status in SHOWN), at
        assert why.count("::") == len(named), at
        for path, name in named:
            assert (TESTS / path).is_file(), (at, path)
            assert name in _functions(TESTS / path), (at, path, name)


def test_the_page_counts_its_lines() -> None:
    counts = Counter(status for _, _, status, _ in rows())
    assert (
        f"Of {len(LISTED)} lines, {counts['shown']} are shown, {counts['operator']} depend on the operator, "
        f"{counts['partly']} are met partly, and for {counts['no such part']} there is no such part." in PAGE
    )
