"""Test that docs/reference/settings.md explains every option of doorward.toml."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from tests.repository import tree

PAGE = tree.DOCS / "reference" / "settings.md"


def _structs(annotation: Any) -> list[type[msgspec.Struct]]:
    """The Structs in an annotation: itself, or those of a union or a container."""
    if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    return [found for part in get_args(annotation) for found in _structs(part)]


def options(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The dotted names of all leaves: `tokens.access_ttl`."""
    for field in msgspec.structs.fields(struct):
        name = f"{prefix}{field.encode_name}"
        inner = _structs(field.type)
        if not inner:
            yield name
        for nested in inner:
            # sections to which operators give names: `providers.issuer` is of [providers.NAME]
            yield from options(nested, prefix if field.encode_name == "by_name" else f"{name}.")


def documented(page: str) -> set[str]:
    """The dotted names that a page explains: `` `a.b` `` anywhere, or `` `b` `` below a heading with `[a]`."""
    names: set[str] = set()
    section = ""
    for line in page.splitlines():
        if line.startswith("#"):
            found = re.search(r"\[([a-z_.]+)\]", line)
            section = f"{found[1]}." if found else ""
        for quoted in re.findall(r"`([a-z][a-z0-9_.]*)`", line):
            names |= {quoted, section + quoted}
    return names


def test_both_notations_of_an_option_are_read() -> None:
    page = "# Settings\n`issuer` is …\n## `[tokens]`\n| `access_ttl` | … |\n## Others\n`brand.name`\n"
    assert {"issuer", "tokens.access_ttl", "brand.name"} <= documented(page)
    assert "tokens.name" not in documented(page)


def test_every_option_is_documented() -> None:
    from doorward.settings import Settings

    known = list(options(Settings))
    assert len(known) > 20, f"the settings were not read: {known}"
    missing = sorted(set(known) - documented(PAGE.read_text("utf-8")))
    assert not missing, f"docs/reference/settings.md does not explain {missing}"
