"""Rule for waiting in tests: a test waits up to PATIENCE, so that it does not fail on a slow machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.repository import tree
from tests.waiting import PATIENCE

# Calls that give up after a given time; a number below one second is a pause, not a limit.
_GIVES_UP = {"communicate", "join", "settimeout", "timeout", "wait", "wait_for"}
_CLOCK = re.compile(r"\b(monotonic|perf_counter)\(\)")
# Tests of a wait that is itself the promise, with bounds of several times its length.
_WAITS = {"tests/adapters/test_read_your_own_writes.py", "tests/adapters/valkey/test_counters.py"}
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


def measured_in(source: str) -> Iterator[int]:
    """The lines that assert an upper bound of a measured time, or compare two of them."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        times = {
            ast.unparse(target)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _is_time(node.value, set())
            for target in node.targets
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
                sides = [node.test.left, *node.test.comparators]
                for one, sign, other in zip(sides, node.test.ops, sides[1:], strict=False):
                    small = one if isinstance(sign, ast.Lt | ast.LtE) else other
                    if _is_time(small, times) and "PATIENCE" not in ast.unparse(node.test):
                        yield node.lineno


def _is_time(node: ast.expr, names: set[str]) -> bool:
    """Whether it is a difference of two readings of a clock, or has a name that stands for one."""
    if ast.unparse(node) in names:
        return True
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and _CLOCK.search(ast.unparse(node)) is not None
    )


def test_no_test_asserts_a_measured_time() -> None:
    """A busy machine makes it fail: count statements, calls or processor time, or measure what is promised with `keeps`."""
    found = [
        f"{tree.name(path)}:{line}"
        for path in sorted((tree.ROOT / "tests").rglob("*.py"))
        if "soak" not in path.parts and tree.name(path) not in _WAITS
        for line in measured_in(path.read_text("utf-8"))
    ]
    assert not found, "count the work (tests/work_done.py), or measure with keeps(): " + ", ".join(found)


def test_every_form_of_a_measured_time_is_detected() -> None:
    source = """
def test() -> None:
    took = time.monotonic() - began
    assert took < 2
    assert time.perf_counter() - began < other
    assert 3 > took
    assert time.monotonic() - began > 0.9
    assert time.monotonic() - began < PATIENCE
"""
    assert list(measured_in(source)) == [4, 5, 6]


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
