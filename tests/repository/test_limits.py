"""Rule for waiting in tests: a test waits up to PATIENCE, so that it does not fail on a slow machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.repository import tree
from tests.waiting import PATIENCE

# Calls that give up after a given time; a number below one second is a pause, not a limit.
_GIVES_UP = {"communicate", "join", "settimeout", "timeout", "wait", "wait_for"}
_BY_KEYWORD = {
    "AsyncClient", "Client", "HTTPConnection", "HTTPSConnection", "communicate", "get", "post", "run",
    "urlopen", "wait", "wait_for",
}  # fmt: skip


def _seconds(node: ast.expr | None) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < PATIENCE:
        return value
    return None


def limits_in(source: str) -> Iterator[int]:
    """The lines with a test's own limit, from one second to less than PATIENCE."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = [*(node.args[-1:] if name in _GIVES_UP else ())]
            given += [word.value for word in node.keywords if word.arg == "timeout" and name in _BY_KEYWORD]
            if any(_seconds(value) is not None for value in given):
                yield node.lineno
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Add)
            and isinstance(node.left, ast.Call)
            and ast.unparse(node.left.func).endswith("monotonic")
            and _seconds(node.right) is not None
        ):
            yield node.lineno


def test_no_test_has_a_limit_that_fails_on_a_slow_machine() -> None:
    found = [
        f"{tree.name(path)}:{line}"
        for path in sorted((tree.ROOT / "tests").rglob("*.py"))
        if "soak" not in path.parts
        for line in limits_in(path.read_text("utf-8"))
    ]
    assert not found, "wait for PATIENCE, or measure with keeps() (tests/waiting.py): " + ", ".join(found)


def test_every_form_of_limit_is_detected() -> None:
    source = """
process.wait(10)
thread.join(5)
asyncio.timeout(2)
asyncio.wait_for(x, 3)
pytest.mark.timeout(120)
subprocess.run(["x"], timeout=60)
until = time.monotonic() + 10
"""
    assert list(limits_in(source)) == [2, 3, 4, 5, 6, 7, 8]


def test_pauses_and_patience_are_no_limits() -> None:
    source = """
event.wait(0.05)
process.wait(PATIENCE)
", ".join(names)
CommandWrapper(unwrap=[], timeout=20)
until = time.monotonic() + PATIENCE
"""
    assert not list(limits_in(source))
