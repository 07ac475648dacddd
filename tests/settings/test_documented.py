"""Comparison of the defaults in docs/reference/settings.md with those of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec import NODEFAULT

from doorward.settings.load import known_settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def rows() -> dict[str, str]:
    """Dotted name -> the page's column of defaults."""
    found: dict[str, str] = {}
    section = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = re.search(r"\[([a-z_]+)\]", line)
            section = f"{heading[1]}." if heading else ""
        row = re.match(r"\| `([a-z0-9_]+)` \| (.*?) \|", line)
        if row:
            found[section + row[1]] = row[2]
    return found


KNOWN = known_settings(["providers.any"])


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_default_is_the_one_that_is_documented(name: str) -> None:
    default = KNOWN[name].default
    said = rows()[name.replace(".any.", ".")]
    if default == "":
        # a member that every section of this kind needs
        assert said == "none"
        return
    if default is None or default is NODEFAULT:
        # no default, or one derived from something else, described in words
        assert not said.startswith("`")
        assert not said[0].isdigit() or name == "mail.port"
    elif isinstance(default, bool | str):
        assert f"`{json.dumps(default)}`" == said
    elif isinstance(default, int):
        assert re.match(rf"{default}( \(.*\))?$", said)
    else:
        assert said == f"`{json.dumps(list(default))}`"
