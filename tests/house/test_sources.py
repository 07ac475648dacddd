"""Are the sources laid out as the house wants: short files, telling names, every room on a floor?"""

from __future__ import annotations

import tomllib

from tests.house import tree

LONGEST = 350
COUNTED = {".py", ".js", ".mjs", ".sql", ".html"}
# A module with one of these names answers no question; what it holds belongs where the question is answered.
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# What stands beside the floors.
PROGRAMS = {"__init__", "__main__"}

SOURCES = [path for path in tree.files() if path.suffix in COUNTED]


def test_a_file_is_short_enough_to_answer_one_question() -> None:
    assert SOURCES
    lines = {tree.name(path): path.read_text("utf-8").count("\n") for path in SOURCES}
    long = {name: count for name, count in lines.items() if count > LONGEST}
    assert not long, f"{LONGEST} lines are the limit; which two things is each of these? {long}"


def test_no_module_is_named_after_nothing() -> None:
    code = [path.relative_to(tree.ROOT) for path in SOURCES if path.suffix in {".py", ".js", ".mjs"}]
    bad = [path.as_posix() for path in code if NAMELESS & {path.stem, *path.parts[:-1]}]
    assert not bad, f"name these after what they answer: {bad}"


def test_every_room_of_the_server_stands_on_a_floor() -> None:
    config = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    floors = next(c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == "floors")["layers"]
    known = {part.strip(" ()").removeprefix("doorward.") for layer in floors for part in layer.split("|")}
    rooms = {p.stem for p in tree.SERVER.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    rooms -= {"__pycache__"}
    unknown = sorted(rooms - known - PROGRAMS)
    assert not unknown, f"no import contract speaks of {unknown}; give each a floor in pyproject.toml"


def test_every_package_is_a_package() -> None:
    """A folder without `__init__.py` is invisible to the import contracts."""
    bare = {
        tree.name(path.parent)
        for root in (tree.SERVER, tree.VERIFIER, tree.DEMO)
        for path in root.rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare, f"these need an __init__.py: {sorted(bare)}"
