"""Diagram of the architecture, made from the code: layers and features in the order of the import contracts,
with imports.

`python -m tools.architecture_diagram` writes docs/images/architecture.svg; tests/repository compares it. The
order is read from `pyproject.toml`, the sentences are the first of each package's docstring, the imports are
counted in the sources.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "docs" / "images" / "architecture.svg"
SOURCES: Final = (
    ROOT / "packages" / "doorward" / "src",
    ROOT / "packages" / "doorward-verify" / "src",
    ROOT / "packages" / "doorward-demo" / "src",
)
WIDTH: Final = 1000
_STYLE: Final = """<style>
  svg { --bg:#FFFFFF; --edge:#D5D9E0; --text:#16181D; --muted:#5A6070; --accent:#2F5BD7; --soft:#F2F5FC }
  @media (prefers-color-scheme: dark) { svg { --bg:#171A21; --edge:#2B303B; --text:#ECEEF2; --muted:#A2A9B8; --accent:#8CA8FF; --soft:#1D222D } }
  text { font: 12px system-ui, sans-serif; fill: var(--text) } .name { font: 600 14px ui-monospace, monospace } .small { fill: var(--muted) }
  .frame { fill: var(--bg); stroke: var(--edge) } .floor { fill: var(--bg); stroke: var(--edge) } .feature { fill: var(--soft); stroke: var(--edge) }
  .down { stroke: var(--accent); stroke-width: 1.6 } .head { fill: var(--accent) }
</style>"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the diagram: a package, or sibling packages that do not import one another."""

    name: str
    sentence: str
    parts: tuple[str, ...]
    uses: tuple[str, ...]


def _order(contract: str) -> list[list[str]]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = next(c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == contract)
    return [[part.strip(" ()") for part in layer.split("|")] for layer in found["layers"]]


def _folder(module: str) -> Path:
    return next(path for source in SOURCES if (path := source.joinpath(*module.split("."))).is_dir())


def _sentence(module: str) -> str:
    text = ast.get_docstring(ast.parse((_folder(module) / "__init__.py").read_text("utf-8"))) or ""
    return text.split("\n")[0].split(". ")[0].split(", …")[0].rstrip(".")


@cache
def _imports() -> tuple[tuple[str, str], ...]:
    """Each import as (module, imported name), of all packages."""
    found: list[tuple[str, str]] = []
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            module = ".".join(path.relative_to(source).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    found += [(module, f"{node.module}.{alias.name}") for alias in node.names]
                elif isinstance(node, ast.Import):
                    found += [(module, alias.name) for alias in node.names]
    return tuple(found)


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def _uses(module: str, others: list[str]) -> tuple[str, ...]:
    """Those of `others` that the module imports, most used first."""
    counted: Counter[str] = Counter()
    for importer, imported in _imports():
        if _within(importer, module):
            counted.update(other for other in others if other != module and _within(imported, other))
    return tuple(
        f"{name.rsplit('.', 1)[-1]} {count}"
        for name, count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    )


def _parts(module: str) -> tuple[str, ...]:
    """The packages below one, except those of rules."""
    folder = _folder(module)
    inner = sorted(p.name for p in folder.iterdir() if (p / "__init__.py").is_file() and p.name != "rules")
    return tuple(
        f"{name}/"
        + (
            f"{{{', '.join(below)}}}"
            if (below := [p.rstrip("/") for p in _parts(f"{module}.{name}")])
            else ""
        )
        for name in inner
    )


def rows() -> tuple[list[Row], list[Row]]:
    """Layers and features, from the top down."""
    floors = [name for layer in _order("floors") for name in layer]
    # single modules beside the features (the list itself, and shared base classes) are no features
    features = [
        module
        for layer in _order("features")
        for name in layer
        if any(
            source.joinpath(*(module := f"doorward.features.{name}").split(".")).is_dir()
            for source in SOURCES
        )
    ]
    return (
        [
            Row(
                name.removeprefix("doorward."),
                _sentence(name),
                () if name.endswith((".features", "_demo", "_verify")) else _parts(name),
                _uses(name, floors),
            )
            for name in floors
        ],
        [
            Row(name.rsplit(".", 1)[1], _sentence(name), _parts(name), _uses(name, features))
            for name in features
        ],
    )


def _wrapped(words: tuple[str, ...], width: int) -> list[str]:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word + ", "
    return [line.strip(" ,") for line in lines if line.strip()]


def _box(row: Row, kind: str, left: int, top: int) -> tuple[list[str], int]:
    inside = _wrapped(row.parts, 84 - left // 8)
    uses = _wrapped(row.uses, 40)
    height = max(30 + 16 * (len(inside) + 1), 14 + 16 * (len(uses) + 1))
    out = [
        f'<rect x="{left}" y="{top}" width="{WIDTH - 2 * left}" height="{height}" rx="8" class="{kind}"/>',
        f'<text x="{left + 12}" y="{top + 20}" class="name">{escape(row.name)}</text>',
        f'<text x="{left + 12}" y="{top + 38}" class="small">{escape(row.sentence)}</text>',
    ]
    out += [
        f'<text x="{left + 12}" y="{top + 54 + 16 * i}">{escape(line)}</text>'
        for i, line in enumerate(inside)
    ]
    out += [
        f'<text x="{WIDTH - left - 12}" y="{top + 20 + 16 * i}" text-anchor="end" class="small">{escape(("imports " if not i else "") + line)}</text>'
        for i, line in enumerate(uses)
    ]
    return out, height


def drawn() -> str:
    """The diagram as SVG."""
    floors, features = rows()
    out: list[str] = []
    top = 56
    for row in floors:
        made, height = _box(row, "floor", 24, top)
        if row.name == "features":
            inner = top + 52
            below: list[str] = []
            for feature in features:
                boxes, tall = _box(feature, "feature", 40, inner)
                below += boxes
                inner += tall + 6
            height = inner - top + 6
            made[0] = f'<rect x="24" y="{top}" width="{WIDTH - 48}" height="{height}" rx="8" class="floor"/>'
            made += below
        out += made
        top += height + 8
    arrow = (
        f'<line x1="12" y1="60" x2="12" y2="{top - 20}" class="down"/>'
        f'<path d="M6 {top - 22} L18 {top - 22} L12 {top - 10} Z" class="head"/>'
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 8}" width="{WIDTH}" height="{top + 8}" role="img" aria-labelledby="t d">',
            '<title id="t">Doorward: floors and features</title>',
            '<desc id="d">Floors from the commands down to the verification library. Each imports only what stands below it. Features stand on one floor, in the order in which they may import one another.</desc>',
            _STYLE,
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{top + 7}" rx="12" class="frame"/>',
            '<text x="24" y="26" class="name">Imports go down only</text>',
            '<text x="24" y="44" class="small">Numbers: how often a floor imports another, and a feature another feature. Made from the sources.</text>',
            *out,
            arrow,
            "</svg>",
            "",
        ]
    )


def main() -> int:
    """Write the diagram."""
    PICTURE.write_text(drawn(), "utf-8")
    sys.stderr.write(f"pages: wrote {PICTURE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
