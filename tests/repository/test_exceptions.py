"""Limit on the number of exceptions to the import contracts."""

from __future__ import annotations

import tomllib

from tests.repository import tree

# by contract; lower a number when an exception goes
ALLOWED = {"floors": 0, "features": 0}


def test_the_number_of_exceptions_to_the_import_contracts_never_grows() -> None:
    config = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    found = {
        contract["id"]: len(
            [each for each in contract.get("ignore_imports", []) if "doorward_demo" not in each]
        )
        for contract in config["tool"]["importlinter"]["contracts"]
    }
    assert {name: count for name, count in found.items() if count} == {n: c for n, c in ALLOWED.items() if c}
