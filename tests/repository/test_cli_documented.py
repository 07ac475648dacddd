"""Test that docs/reference/cli.md explains every command and option."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tests.repository import tree

PAGE = tree.DOCS / "reference" / "cli.md"


def _root() -> Any:
    import typer.main

    app: Any = importlib.import_module("doorward.cli").app
    if isinstance(app, ModuleType):
        app = app.app
    return typer.main.get_command(app) if isinstance(app, typer.Typer) else app


def commands(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Each command that can be run, by its full name, with its long options."""
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")
    if not children and not getattr(command, "hidden", False):
        flags = [flag for p in command.params if not getattr(p, "hidden", False) for flag in p.opts]
        yield path, [flag for flag in flags if flag.startswith("--") and flag != "--help"]


def section(page: str, command: str) -> str | None:
    """The text of a page about one command: its own heading's section, and what precedes the first command.

    A heading names a command when it contains its full name; None where the page has no such heading.
    """
    parts = re.split(r"^(#+ .*)$", page, flags=re.MULTILINE)
    headings = list(zip(parts[1::2], parts[2::2], strict=True))
    everywhere = parts[0]
    for heading, body in headings:
        if re.search(r"\bdoorward [a-z]", heading):
            break
        everywhere += body
    own = [body for heading, body in headings if re.search(rf"\b{re.escape(command)}(?![\w-])", heading)]
    return everywhere + "".join(own) if own else None


def test_a_section_is_found_by_its_heading() -> None:
    page = "# Commands\n`--json` everywhere\n## `doorward user create`\n`--email`\n## `doorward user list`\n`--all`\n"
    text = section(page, "doorward user create")
    assert text is not None
    assert "--json" in text
    assert "--email" in text
    assert "--all" not in text
    assert section(page, "doorward user") is not None
    assert section(page, "doorward app create") is None


def test_every_command_and_option_is_documented() -> None:
    page = PAGE.read_text("utf-8")
    known = list(commands(_root(), "doorward"))
    assert len(known) > 10, f"the commands were not read: {known}"
    missing: list[str] = []
    for command, flags in known:
        text = section(page, command)
        if text is None:
            missing.append(f"{command} (no heading)")
            continue
        missing += [
            f"{command} {flag}" for flag in flags if not re.search(rf"(?<![\w-]){flag}(?![\w-])", text)
        ]
    assert not missing, f"docs/reference/cli.md does not explain {missing}"
