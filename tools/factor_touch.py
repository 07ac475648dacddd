"""Files outside a factor's folder that name it: those that a new factor of its kind would have to change.

Run as `python -m tools.factor_touch [FACTOR …]`; without a name it lists every factor. Files that are deleted with the factor do
not count: its folder, its storage noun, and every file whose own path names it. Nor do catalogues, migrations, docs and tests.
tests/repository/test_factor_touch.py holds the lists, so that none grows unseen.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SERVER: Final = ROOT / "packages" / "doorward" / "src" / "doorward"
FACTORS: Final = SERVER / "features" / "authn" / "factors"
NAMES: Final = {
    "email_code": r"e?mail_codes?",
    "passkeys": r"passkeys?|security_keys?",
    "recovery_codes": r"recovery(_codes?)?",
    "sms": r"sms|text_messages?|message_channel|phones?_[a-z]\w*",
    "totp": r"totp|authenticator_(app|added|allowed|available|enrolment|removed)",
}
"""By folder: the words by which the code names the factor, within identifiers, short strings and imports."""
_LEFT_OUT: Final = frozenset({"locale", "migrations", "readers", "vendor"})
"""Folders that are not read; `readers` of the exports of other servers use the words of those."""
_SENTENCE: Final = re.compile(r"\s")


def parts(text: str) -> str:
    """An identifier or address in lower case with `_` between its words: `PhoneNewView` is `phone_new_view`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", text).lower()


def named(text: str, factor: str) -> bool:
    """Whether an identifier, an address or a value names the factor."""
    return re.search(rf"(?<![a-z0-9])({NAMES[factor]})(?![a-z0-9])", parts(text)) is not None


def words_of_python(source: str) -> Iterator[str]:
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


def words_of_template(source: str) -> Iterator[str]:
    """What a template says besides its sentences."""
    yield from re.findall(r"[A-Za-z][A-Za-z0-9_/-]*", re.sub(r'_\("(?:[^"\\]|\\.)*"', "", source))


@cache
def _words() -> list[tuple[Path, frozenset[str]]]:
    """The files of the server, each with its words."""
    found: list[tuple[Path, frozenset[str]]] = []
    for path in sorted(SERVER.rglob("*")):
        if path.suffix in {".py", ".html"} and not _LEFT_OUT & set(path.parts):
            words = words_of_python if path.suffix == ".py" else words_of_template
            found.append((path, frozenset(words(path.read_text("utf-8")))))
    return found


def _own(path: Path, factor: str) -> bool:
    return path.is_relative_to(FACTORS / factor) or any(
        named(part, factor) for part in path.relative_to(SERVER).with_suffix("").parts
    )


def touched(factor: str) -> list[str]:
    """The files that name the factor and are not its own, by their path below the server's package. Raises KeyError for a factor
    without an entry in `NAMES`."""
    return [
        path.relative_to(SERVER).as_posix()
        for path, words in _words()
        if not _own(path, factor) and any(named(word, factor) for word in words)
    ]


def main(factors: list[str]) -> int:
    for factor in factors or sorted(NAMES):
        if factor not in NAMES:
            print(f"{factor} is no factor; one of {', '.join(sorted(NAMES))}", file=sys.stderr)
            return 2
        files = touched(factor)
        print(f"{factor}: {len(files)} files outside")
        print("".join(f"    {name}\n" for name in files), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
