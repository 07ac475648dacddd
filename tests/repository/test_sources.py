"""Rules for the layout of the sources: short files, telling names, every folder in a layer."""

from __future__ import annotations

import tomllib

from tests.repository import tree

LONGEST = 350
COUNTED = {".py", ".js", ".mjs", ".sql", ".html"}
# Names that say nothing; the contents belong into modules with a topic.
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# Modules outside of the layers.
PROGRAMS = {"__init__", "__main__"}

SOURCES = [path for path in tree.files() if path.suffix in COUNTED]


def test_every_file_is_short() -> None:
    assert SOURCES
    lines = {tree.name(path): path.read_text("utf-8").count("\n") for path in SOURCES}
    long = {name: count for name, count in lines.items() if count > LONGEST}
    assert not long, f"{LONGEST} lines are the limit; split each of these by topic: {long}"


def test_no_module_has_a_meaningless_name() -> None:
    code = [path.relative_to(tree.ROOT) for path in SOURCES if path.suffix in {".py", ".js", ".mjs"}]
    bad = [path.as_posix() for path in code if NAMELESS & {path.stem, *path.parts[:-1]}]
    assert not bad, f"name these after their topic: {bad}"


def test_every_folder_of_the_server_is_in_a_layer() -> None:
    config = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    floors = next(c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == "floors")["layers"]
    known = {part.strip(" ()").removeprefix("doorward.") for layer in floors for part in layer.split("|")}
    rooms = {p.stem for p in tree.SERVER.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    rooms -= {"__pycache__"}
    unknown = sorted(rooms - known - PROGRAMS)
    assert not unknown, f"no import contract contains {unknown}; give each a layer in pyproject.toml"


def test_every_package_has_an_init_file() -> None:
    """A folder without `__init__.py` is invisible to the import contracts."""
    bare = {
        tree.name(path.parent)
        for root in (tree.SERVER, tree.VERIFIER, tree.DEMO)
        for path in root.rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare, f"these need an __init__.py: {sorted(bare)}"
