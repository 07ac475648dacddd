"""Files of the repository, for the repository tests."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "packages" / "doorward" / "src" / "doorward"
VERIFIER = ROOT / "packages" / "doorward-verify" / "src" / "doorward_verify"
DEMO = ROOT / "packages" / "doorward-demo" / "src" / "doorward_demo"
DOCS = ROOT / "docs"

_SKIPPED = {".git", ".venv", "build", "dist", "node_modules", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or could be committed; from an archive without git, every file except caches."""
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if out.returncode == 0 and out.stdout:
        listed = [ROOT / name for name in out.stdout.decode().split("\0") if name]
        return tuple(sorted(path for path in listed if path.is_file()))
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(p for p in found if not _SKIPPED & set(p.relative_to(ROOT).parts)))


@cache
def parse(source: str) -> ast.Module:
    """The syntax tree of a source; many tests read the same files, and none changes it."""
    return ast.parse(source)


@cache
def nodes(module: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a module."""
    return tuple(ast.walk(module))


def rules() -> list[Path]:
    """The modules of pure rules: `rules.py` or `rules/` of a feature, and the features' shared ones in `core/`."""
    found = [path for path in modules(SERVER / "features") if "rules" in (*path.parts, path.stem)]
    return [
        *found,
        *sorted(path for path in (SERVER / "core").glob("*.py") if path.stem not in {"__init__", "errors"}),
    ]


def name(path: Path) -> str:
    """The path relative to the repository, for messages."""
    return path.relative_to(ROOT).as_posix()


def modules(folder: Path) -> list[Path]:
    """The Python modules below a folder, without the packages' own `__init__`."""
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def dotted(path: Path) -> str:
    """The module at this path of the server's package, as an import names it."""
    return "doorward." + ".".join(path.relative_to(SERVER).with_suffix("").parts)
