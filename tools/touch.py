"""Files outside the folder of a plug that name it, for tools/factor_touch.py and tools/grant_touch.py."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SERVER: Final = ROOT / "packages" / "doorward" / "src" / "doorward"
_LEFT_OUT: Final = frozenset({"locale", "migrations", "vendor"})
_SENTENCE: Final = re.compile(r"\s")


@dataclass(frozen=True, kw_only=True)
class Plugs:
    """Plugs of one kind. `noun` is the word for one of them, `folder` holds a folder for each; `names` are the words, a regular expression,
    by which the code names each, within identifiers, short strings and imports. `left_out` are folders and `others` files, by their path
    below the server's package, that use these words for something else."""

    noun: str
    folder: Path
    names: Mapping[str, str]
    left_out: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def named(self, text: str, plug: str) -> bool:
        """Whether an identifier, an address or a value names the plug."""
        return re.search(rf"(?<![a-z0-9])({self.names[plug]})(?![a-z0-9])", parts(text)) is not None

    def touched(self, plug: str) -> list[str]:
        """The files that name the plug and are not its own, by their path below the server's package. Raises KeyError for a plug without an
        entry in `names`."""
        return [
            name
            for path, words in _words()
            if not self.left_out & set(path.parts)
            and not self._own(path, plug)
            and (name := path.relative_to(SERVER).as_posix()) not in self.others
            and any(self.named(word, plug) for word in words)
        ]

    def main(self, plugs: list[str]) -> int:
        """Print the files of these plugs, of all without any. The exit code: 2 for a name that is none."""
        for plug in plugs or sorted(self.names):
            if plug not in self.names:
                print(f"{plug} is no {self.noun}; one of {', '.join(sorted(self.names))}", file=sys.stderr)
                return 2
            files = self.touched(plug)
            print(f"{plug}: {len(files)} files outside")
            print("".join(f"    {name}\n" for name in files), end="")
        return 0

    def _own(self, path: Path, plug: str) -> bool:
        return path.is_relative_to(self.folder / plug) or any(
            self.named(part, plug) for part in path.relative_to(SERVER).with_suffix("").parts
        )


def parts(text: str) -> str:
    """An identifier or address in lower case with `_` between its words: `PhoneNewView` is `phone_new_view`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", text).lower()


def _of_python(source: str) -> Iterator[str]:
    """Identifiers, imported modules, and strings without a space: a sentence for people names no code."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word))
            ):
                yield word
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word):
                yield word
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=module, names=names):
                yield module or ""
                yield from (one.name for one in names)
            case ast.Constant(value=str(word)) if not _SENTENCE.search(word):
                yield word
            case _:
                pass


def _of_template(source: str) -> Iterator[str]:
    """What a template says besides its sentences."""
    yield from re.findall(r"[A-Za-z][A-Za-z0-9_/-]*", re.sub(r'_\("(?:[^"\\]|\\.)*"', "", source))


@cache
def _words() -> list[tuple[Path, frozenset[str]]]:
    """The files of the server, each with its words."""
    found: list[tuple[Path, frozenset[str]]] = []
    for path in sorted(SERVER.rglob("*")):
        if path.suffix in {".py", ".html"} and not _LEFT_OUT & set(path.parts):
            words = _of_python if path.suffix == ".py" else _of_template
            found.append((path, frozenset(words(path.read_text("utf-8")))))
    return found
