"""Tests of the list of features: complete, and in the order in which features may import one another."""

from __future__ import annotations

import ast
import tomllib
from importlib import import_module

from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from tests.repository import tree


def _layers() -> list[str]:
    """The folders of `features/`, low to high, from the import contract."""
    config = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = [one for one in config["tool"]["importlinter"]["contracts"] if one["id"] == "features"]
    return [name.strip("() ") for layer in reversed(contract["layers"]) for name in layer.split("|")]


def test_the_list_is_ordered_from_low_to_high() -> None:
    layers = _layers()
    places = [layers.index(feature.name.partition(".")[0]) for feature in FEATURES]
    assert places == sorted(places)


def test_every_feature_is_on_the_list() -> None:
    for path in (tree.SERVER / "features").rglob("feature.py"):
        name = ".".join(path.parent.relative_to(tree.SERVER / "features").parts)
        if not name:
            continue
        module = import_module(f"doorward.features.{name}.feature")
        (found,) = [value for value in vars(module).values() if isinstance(value, Feature)]
        assert found in FEATURES, f"{tree.name(path)} is not in features/index.py"
        assert found.name == name


def test_the_list_loads_no_module_that_only_a_server_needs() -> None:
    """Commands read the list too: a feature's parts are imported by the functions that build it."""
    types = "doorward.features.services"
    light = {"feature.py": {"doorward.features.feature", types}, "slots.py": {types}}
    for path in (tree.SERVER / "features").rglob("*.py"):
        if path.name not in light:
            continue
        for node in tree.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("doorward"):
                module = node.module or ""
                slots = path.name == "feature.py" and module.endswith(".slots")
                assert module in light[path.name] or slots, f"{tree.name(path)} imports {module}"
