"""Page docs/reference/requirements.md: each requirement, the tests that name it, and whether it is shown.

The marks are read from the sources (`ast`), so that the page needs no test run and no running server. `python
-m tools.requirements_page` writes it; tests/repository compares it.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tools" / "requirements.toml"
PAGE = ROOT / "docs" / "reference" / "requirements.md"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Line:
    """One requirement: its number, text and source."""

    number: int
    text: str
    source: str


@dataclass(frozen=True)
class Requirements:
    """The requirements by section, and the numbers that must be shown today."""

    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    in_scope: frozenset[int]

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all requirements."""
        return frozenset(line.number for _, lines in self.sections for line in lines)


def load(path: Path = DATA) -> Requirements:
    """Load the committed list."""
    data = tomllib.loads(path.read_text("utf-8"))
    sections = tuple((s["name"], tuple(Line(*row) for row in s["lines"])) for s in data["section"])
    scope = frozenset(n for first, last in data["in_scope"] for n in range(first, last + 1))
    return Requirements(sections, scope)


def _marks(node: ast.AST) -> Iterator[ast.Call]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and ast.unparse(part.func).endswith("mark.requirement"):
            yield part


def _numbers(call: ast.Call, where: str) -> list[int]:
    values = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
    if not values or len(values) != len(call.args) or call.keywords:
        raise ValueError(f"{where}:{call.lineno}: requirement() takes plain numbers")
    return values


def _tests(tree: ast.Module) -> Iterator[tuple[str, list[ast.AST]]]:
    """Each test with the nodes that can carry its marks: its own decorators, its class's, the module's."""
    module: list[ast.AST] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and any(ast.unparse(t) == "pytestmark" for t in node.targets)
    ]
    for node in tree.body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield node.name, [*module, *node.decorator_list]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for inner in node.body:
                if isinstance(inner, Function) and inner.name.startswith("test"):
                    carriers: list[ast.AST] = [*module, *node.decorator_list, *inner.decorator_list]
                    yield f"{node.name}::{inner.name}", carriers


def marks_in(source: str, where: str) -> list[tuple[int, str]]:
    """(requirement, test id) of each mark in one test file.

    Raises ValueError when a mark is not a plain list of numbers, or is not on a test.
    """
    tree = ast.parse(source)
    found: list[tuple[int, str]] = []
    used: set[int] = set()
    for name, carriers in _tests(tree):
        for carrier in carriers:
            for call in _marks(carrier):
                used.add(id(call))
                found += [(number, f"{where}::{name}") for number in _numbers(call, where)]
    for call in _marks(tree):
        if id(call) not in used:
            raise ValueError(
                f"{where}:{call.lineno}: this requirement mark belongs to no test; write it above one"
            )
    return found


def shown(tests: Path = TESTS) -> dict[int, list[str]]:
    """Requirement -> the ids of the tests that name it, in order of file and line."""
    answer: dict[int, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        where = path.relative_to(tests.parent).as_posix()
        for number, test in marks_in(path.read_text("utf-8"), where):
            names = answer.setdefault(number, [])
            if test not in names:
                names.append(test)
    return answer


def _status(number: int, tests: list[str], requirements: Requirements) -> str:
    if tests:
        return "shown"
    return "**open**" if number in requirements.in_scope else "later"


def _cell(tests: list[str]) -> str:
    # Three are enough to start reading; the count says that there are more, and `grep` finds them.
    names = [f"`{test.removeprefix('tests/')}`" for test in tests[:3]]
    if len(tests) > len(names):
        names.append(f"and {len(tests) - len(names)} more")
    return "<br>".join(names)


def page(requirements: Requirements, tests: dict[int, list[str]]) -> str:
    """The whole page as Markdown."""
    scope = requirements.in_scope
    missing = sorted(n for n in scope if not tests.get(n))
    out = [
        "# What Doorward promises, and the test that shows it",
        "",
        "Each line is a requirement of a trustworthy authorization server. Comments refer to line 80 as R80. A test that",
        "shows a line carries `@pytest.mark.requirement(<number>)`. `make pages` writes this page from those marks, and",
        "`make check` fails when it is not up to date. Paths begin in `tests/`.",
        "",
        f"Of {len(requirements.numbers)} lines, {len(scope)} are in scope today; "
        f"{len(scope) - len(missing)} of these are shown. "
        + (f"Still open: {', '.join(map(str, missing))}." if missing else "None of these is open."),
        "",
        "- **shown**: at least one test names the line · **open**: in scope, not shown yet · "
        "**later**: for a later version",
    ]
    for name, lines in requirements.sections:
        out += ["", f"## {name}", "", "| | Line | Source | Tests | Status |", "|---|---|---|---|---|"]
        for line in lines:
            names = tests.get(line.number, [])
            status = _status(line.number, names, requirements)
            out.append(f"| {line.number} | {line.text} | {line.source} | {_cell(names)} | {status} |")
    return "\n".join([*out, ""])


def main() -> int:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(load(), shown()), "utf-8")
    sys.stderr.write(f"pages: wrote {PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
