"""Lists of pages in each README.md under docs/, between its two markers.

A page is listed by its first heading. `python -m tools.docs_index` writes the lists; tests/repository compares them.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BEGIN = "<!-- pages: written by `make pages` -->"
END = "<!-- /pages -->"


def title(page: Path) -> str:
    """The page's first heading. Raises ValueError when there is none."""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("# "):
            return line[2:].strip()
    raise ValueError(f"{page.relative_to(ROOT)} has no heading `# …`")


def listing(folder: Path) -> str:
    """The lines between the markers: every page of the folder, in the order of the file names."""
    pages = sorted(p for p in folder.glob("*.md") if p.name != "README.md")
    return "\n".join(f"- [{title(page)}]({page.name})" for page in pages) or "None yet."


def indexed(readme: str, pages: str) -> str:
    """`readme` with `pages` between its markers. Raises ValueError when a marker is missing."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"a README.md under docs/ needs {BEGIN} and {END} once each")
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{pages}\n{END}{after}"


def folders() -> list[Path]:
    """The folders under docs/ that contain pages."""
    return sorted({page.parent for page in DOCS.rglob("*.md")} - {DOCS})


def main() -> int:
    """Write every index; a folder without a README.md gets one with only a heading."""
    for folder in folders():
        readme = folder / "README.md"
        text = (
            readme.read_text("utf-8")
            if readme.exists()
            else f"# {folder.name.capitalize()}\n\n{BEGIN}\n{END}\n"
        )
        readme.write_text(indexed(text, listing(folder)), "utf-8")
        sys.stderr.write(f"pages: wrote {readme.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
