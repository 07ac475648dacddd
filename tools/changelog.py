"""Folds the fragments of changelog.d/ into CHANGELOG.md at a release: `python -m tools.changelog 0.2.0 [2026-12-01]`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRAGMENTS = ROOT / "changelog.d"
CHANGELOG = ROOT / "CHANGELOG.md"
MARK = "<!-- releases -->"
# in the order in which a reader needs them
KINDS = {
    "security": "Security",
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
    "removed": "Removed",
}
_NAME = re.compile(rf"[a-z0-9][a-z0-9-]*\.({'|'.join(KINDS)})\.md")
_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


class BadFragment(ValueError):
    """A file of changelog.d/ that cannot be folded. The message says why."""


def fragments(folder: Path) -> list[Path]:
    """Every fragment, by name. Raises BadFragment for an invalid name or an empty text."""
    found = sorted(path for path in folder.iterdir() if path.name != "README.md")
    for path in found:
        if not _NAME.fullmatch(path.name):
            raise BadFragment(f"{path.name}: name it <short-name>.<{'|'.join(KINDS)}>.md")
        text = path.read_text("utf-8").strip()
        if not text or text.startswith(("#", "- ", "* ")):
            raise BadFragment(f"{path.name}: one or two sentences, without heading or list mark")
    return found


def section(version: str, day: date, found: list[Path]) -> str:
    """The release as Markdown: its heading, then a list for each kind that has entries."""
    out = [f"## {version} ({day.isoformat()})"]
    for kind, title in KINDS.items():
        texts = [" ".join(p.read_text("utf-8").split()) for p in found if p.name.endswith(f".{kind}.md")]
        if texts:
            out += ["", f"### {title}", "", *(f"- {text}" for text in texts)]
    return "\n".join(out)


def folded(changelog: str, release: str) -> str:
    """The changelog with the release on top of the earlier ones."""
    if changelog.count(MARK) != 1:
        raise BadFragment(f"CHANGELOG.md needs the line {MARK} once")
    before, after = changelog.split(MARK)
    return (
        f"{before}{MARK}\n\n{release}\n{after.rstrip()}\n"
        if after.strip()
        else f"{before}{MARK}\n\n{release}\n"
    )


def main(arguments: list[str]) -> int:
    """Write CHANGELOG.md and remove the fragments."""
    if not 1 <= len(arguments) <= 2 or not _VERSION.fullmatch(arguments[0]):
        sys.stderr.write("changelog: say the version, as in: python -m tools.changelog 0.2.0 [2026-12-01]\n")
        return 2
    try:
        day = date.fromisoformat(arguments[1]) if len(arguments) == 2 else datetime.now(UTC).date()
        found = fragments(FRAGMENTS)
        if not found:
            raise BadFragment("changelog.d/ is empty: nothing to release")
        text = folded(CHANGELOG.read_text("utf-8"), section(arguments[0], day, found))
    except ValueError as error:
        sys.stderr.write(f"changelog: {error}\n")
        return 1
    CHANGELOG.write_text(text, "utf-8")
    for path in found:
        path.unlink()
    sys.stderr.write(f"changelog: folded {len(found)} fragments into CHANGELOG.md under {arguments[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
