"""Tests of the documentation's examples: Python parses, settings load, commands and options exist."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.repository import tree

PAGES = [
    *sorted(tree.DOCS.rglob("*.md")),
    *sorted(tree.ROOT.glob("*.md")),
    *sorted(tree.ROOT.glob("packages/*/*.md")),
]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = {"", "sh", "console", "bash"}


def blocks(text: str, kinds: set[str]) -> list[str]:
    """The fenced blocks of these kinds."""
    return [body for kind, body in _BLOCK.findall(text) if kind in kinds]


def _parses(page: Path, kind: str, code: str) -> str | None:
    try:
        if kind == "toml":
            tomllib.loads(code)
        else:
            compile(code, page.name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, tomllib.TOMLDecodeError) as error:
        return f"{tree.name(page)}: {error}"
    return None


@pytest.mark.parametrize("kind", ["python", "toml"])
def test_every_block_parses(kind: str) -> None:
    found = [(page, code) for page in PAGES for code in blocks(page.read_text("utf-8"), {kind})]
    assert found
    assert not [fault for page, code in found if (fault := _parses(page, kind, code))]


def test_every_settings_block_loads(tmp_path: Path) -> None:
    """A block that names the issuer is a complete settings file."""
    from doorward.settings import SettingsError, load

    secret = tmp_path / "secret"
    secret.write_text("secret\n", "utf-8")
    whole = [
        (page, code)
        for page in PAGES
        for code in blocks(page.read_text("utf-8"), {"toml"})
        if "issuer" in tomllib.loads(code)
    ]
    assert whole
    faults: list[str] = []
    for page, code in whole:
        file = tmp_path / "doorward.toml"
        # the files that it names do not exist on this machine
        file.write_text(re.sub(r'(\w+_file = )"[^"]*"', rf'\1"{secret}"', code), "utf-8")
        try:
            load(file, {})
        except SettingsError as error:
            faults += [f"{tree.name(page)}: {problem}" for problem in error.problems]
    assert not faults


def typed(text: str) -> list[list[str]]:
    """Every `doorward …` command in a page's shell blocks, as words, without pipes and comments."""
    found: list[list[str]] = []
    for body in blocks(text, _SHELL):
        for line in body.replace("\\\n", " ").splitlines():
            words = re.sub(r"^\s*(\$ )?", "", line)
            if not re.match(r"(\.venv/bin/)?doorward [a-z]", words):
                continue
            lexer = shlex.shlex(words, posix=True, punctuation_chars="|;&<>")
            lexer.whitespace_split = True
            line_words = list(lexer)
            end = next((n for n, word in enumerate(line_words) if set(word) <= set("|;&<>")), len(line_words))
            found.append(line_words[1:end])
    return found


def fault(words: list[str], root: Any) -> str | None:
    """Why these words are no command; None when they are one."""
    command, rest = root, list(words)
    while rest and getattr(command, "commands", None) is not None:
        name = rest.pop(0)
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    known = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    unknown = [w for w in rest if w.startswith("-") and w.partition("=")[0] not in known | {"--help", "-h"}]
    return f"no option {unknown[0]}" if unknown else None


def test_every_shown_command_exists() -> None:
    from doorward.cli.app import app

    root = typer.main.get_command(app)
    shown = [(page, words) for page in PAGES for words in typed(page.read_text("utf-8"))]
    assert len(shown) > 10
    faults = [
        f"{tree.name(page)}: doorward {shlex.join(words)}: {why}"
        for page, words in shown
        if (why := fault(words, root))
    ]
    assert not faults, "\n".join(faults)


def test_a_command_that_does_not_exist_is_found() -> None:
    from doorward.cli.app import app

    root = typer.main.get_command(app)
    page = "```sh\n$ doorward user creat a@example.com  # soon\ndoorward keys list --all | head\ndoorward keys list\n```\n"
    assert [fault(words, root) for words in typed(page)] == ["no command creat", "no option --all", None]
