"""Move of the source tree: puts each module where `tools/move_tree.txt` says, and rewrites all references to
it.

    .venv/bin/python tools/move_tree.py    # in a clean checkout of the commit before the move

The script rewrites imports (with `as`, so that no other line of a module changes), dotted names in strings
and documents, and paths in comments, documents and configuration. Files that contain the names of an older
release on purpose (`KEPT`) are not changed. The script changes no behaviour; parts that no rule covers
(import contracts, package data, repository tests) are edited by hand in the same commit.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLD = Path("packages/doorward/src/doorward")
DEMO = Path("packages/doorward-demo/src/doorward_demo")
TABLE = ROOT / "tools" / "move_tree.txt"
# older programs keep their names
KEPT = (
    "tests/released/bb61c56/",
    "tests/verify/released/",
    "CHANGELOG.md",
    "tools/move_tree",
    "packages/doorward-verify/",
)
# packages that are referred to as a whole
PACKAGES = {
    "doorward.outside": "doorward.adapters",
    "doorward.wiring": "doorward.app",
    "doorward.stores": "doorward.storage",
    "doorward.stores.sql": "doorward.storage.sql",
}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".html",
    ".po",
    ".sh",
    ".txt",
    ".in",
    ".js",
    ".mjs",
    ".sql",
    ".service",
    ".socket",
    "",
}


def git(*arguments: str) -> str:
    """The output of a git command. Raises `CalledProcessError`."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def listed() -> list[str]:
    """Every committed path."""
    return [name for name in git("ls-files", "-z").split("\0") if name]


def tables() -> tuple[list[tuple[str, str]], dict[str, str], dict[str, str]]:
    """The rules of the table: for modules of the server (old, new), for tests, and the first lines of new packages."""
    modules: list[tuple[str, str]] = []
    tests: dict[str, str] = {}
    packages: dict[str, str] = {}
    part = ""
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("["):
            part = line.strip("[]")
        elif line and not line.startswith("#"):
            old, new = line.split(maxsplit=1)
            if part == "modules":
                modules.append((old, new))
            elif part == "tests":
                tests[old] = new
            else:
                packages[old] = new
    return modules, tests, packages


def place(rel: str, rules: list[tuple[str, str]]) -> str:
    """The new place of a path below `src/doorward`; the first rule without a star comes before those with
    one."""
    stem = rel.removesuffix(".py")
    for old, new in rules:
        if old == stem and rel.endswith(".py"):
            return f"{new}.py"
    for old, new in rules:
        if old.endswith("*") and stem.startswith(old[:-1]):
            rest = rel[len(old) - 1 :]
            deep = old in ("dev/*", "demo/*", "stores/sql/copy/*", "stores/sql/migrations/*")
            if deep or ("/" not in rest and rest != "__init__.py" and rel.endswith(".py")):
                return new[:-1] + rest
    return rel


def plan() -> tuple[dict[str, str], dict[str, str]]:
    """Old path to new path, for the server's files and for tests."""
    rules, special, _ = tables()
    sources: dict[str, str] = {}
    for name in listed():
        path = Path(name)
        if not path.is_relative_to(OLD):
            continue
        rel = path.relative_to(OLD).as_posix()
        new = place(rel, rules)
        target = DEMO.parent / new if new.startswith("doorward_demo/") else OLD / new
        sources[name] = target.as_posix()
    modules = {Path(old).relative_to(OLD).as_posix(): new for old, new in sources.items()}
    tests: dict[str, str] = {}
    for name in listed():
        if not name.startswith("tests/") or name.startswith(KEPT):
            continue
        rel = name.removeprefix("tests/")
        tests[name] = "tests/" + _test_place(rel, special, modules)
    return sources, tests


def _test_place(rel: str, special: dict[str, str], modules: dict[str, str]) -> str:
    if rel in special:
        return special[rel]
    for room, base in (
        ("actions/", "actions/"),
        ("rules/", "rules/"),
        ("web/", "web/"),
        ("outside/", "outside/"),
        ("wiring/", "wiring/"),
    ):
        if not rel.startswith(room):
            continue
        rest = rel[len(room) :]
        source = base + rest.replace("test_", "")
        new = modules.get(source)
        if new is None:
            return {"outside/": "adapters/", "wiring/": "app/"}.get(room, room) + rest
        inner = new.split("/src/", 1)[1].split("/", 1)[1]
        folder, _, leaf = inner.rpartition("/")
        return f"{folder}/test_{leaf}" if folder else f"test_{leaf}"
    for old, new in (("store_contract/", "storage/"), ("workshop/", "server/")):
        if rel.startswith(old):
            return new + rel[len(old) :]
    return rel


def dotted(path: str) -> str | None:
    """The dotted name of a module's path."""
    if not path.endswith(".py"):
        return None
    inner = path.split("/src/", 1)[1] if "/src/" in path else path
    return inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class Imports:
    """Import statements of one module, rewritten for moved modules."""

    def __init__(self, moved: dict[str, str]) -> None:
        self.moved = moved

    def rewritten(self, source: str) -> str:
        """The source with its imports changed, and nothing else."""
        lines = source.splitlines(keepends=True)
        for node in sorted(ast.walk(ast.parse(source)), key=lambda n: getattr(n, "lineno", 0), reverse=True):
            if isinstance(node, ast.ImportFrom | ast.Import) and (new := self._statement(node)):
                first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
                indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
                tail = lines[last].rstrip("\n")
                comment = tail[tail.index("  #") :] if "  #" in tail else ""
                text = "".join(f"{indent}{each}{comment}\n" for each in new)
                lines[first : last + 1] = [text]
        return "".join(lines)

    def _statement(self, node: ast.ImportFrom | ast.Import) -> list[str] | None:
        if isinstance(node, ast.Import):
            if not any(
                alias.name in self.moved and self.moved[alias.name] != alias.name for alias in node.names
            ):
                return None
            return [
                f"import {self.moved.get(a.name, a.name)}" + (f" as {a.asname}" if a.asname else "")
                for a in node.names
            ]
        module = node.module or ""
        grouped: dict[str, list[str]] = {}
        for alias in node.names:
            whole = f"{module}.{alias.name}"
            said = f" as {alias.asname}" if alias.asname else ""
            if whole in self.moved:
                parent, _, leaf = self.moved[whole].rpartition(".")
                if not said and leaf != alias.name:
                    said = f" as {alias.name}"
                said = "" if said == f" as {leaf}" else said
                grouped.setdefault(parent, []).append(leaf + said)
            else:
                grouped.setdefault(self.moved.get(module, module), []).append(alias.name + said)
        if list(grouped) == [module]:
            return None
        return [f"from {parent} import {', '.join(names)}" for parent, names in grouped.items()]


def main() -> int:
    """Move everything. Returns non-zero when the checkout is not clean."""
    if git("status", "--porcelain", "--untracked-files=no").strip():
        sys.stderr.write("move_tree: commit first\n")
        return 1
    sources, tests = plan()
    everything = {**sources, **tests}
    moved = {
        old_m: new_m
        for old, new in everything.items()
        if (old_m := dotted(old)) and (new_m := dotted(new)) and old_m != new_m
    }
    moved.update(PACKAGES)
    for old, new in everything.items():
        if old != new:
            (ROOT / new).parent.mkdir(parents=True, exist_ok=True)
            git("mv", old, new)
    _packages()
    _rewrite(everything, moved)
    for arguments in (["format"], ["check", "--fix-only", "--select", "I001"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, "--quiet", "."], cwd=ROOT, check=True)
    return 0


def _packages() -> None:
    _, _, packages = tables()
    for folder, sentence in packages.items():
        path = (
            ROOT
            / (DEMO.parent if folder.startswith("doorward_demo") else OLD.parent)
            / folder
            / "__init__.py"
        )
        if not path.parent.is_dir():
            raise SystemExit(f"move_tree: no folder {folder}")
        if not path.exists() or not path.read_text("utf-8").strip():
            path.write_text(f'"""{sentence}"""\n', "utf-8")
            git("add", str(path))
    left = [name for name in listed() if name.startswith(f"{OLD.as_posix()}/")]
    for name in left:
        folder = name.removesuffix("__init__.py")
        if name.endswith("/__init__.py") and all(
            each.endswith("/__init__.py") for each in left if each.startswith(folder)
        ):
            git("rm", "-qf", name)


def _rewrite(everything: dict[str, str], moved: dict[str, str]) -> None:
    imports = Imports(moved)
    within = {old for old, new in moved.items() if new.startswith(f"{old}.")}
    whole = sorted(
        (re.escape(old) + (r"(?![\w.])" if old in within else r"(?!\w)") for old in moved),
        key=len,
        reverse=True,
    )
    names = re.compile(r"(?<![\w.])(?<!from )(?P<name>" + "|".join(whole) + ")")
    paths: dict[str, str] = {}
    for old, new in everything.items():
        if old == new:
            continue
        paths[old] = new
        if old.startswith(OLD.as_posix()):
            short = Path(old).relative_to(OLD).as_posix()
            into = new.split("/src/", 1)[1]
            paths[f"doorward/{short}"] = into
            if short.endswith((".py", ".sql")) and "/" in short and not short.endswith("__init__.py"):
                paths[short] = into.removeprefix("doorward/")
        elif old.startswith("tests/") and old.count("/") > 1:
            paths.setdefault(old.removeprefix("tests/"), new.removeprefix("tests/"))
    path = re.compile(
        r"(?<![\w/.-])((?:\.\./)*)("
        + "|".join(sorted((re.escape(p) for p in paths), key=len, reverse=True))
        + r")(?![\w/])"
    )
    for name in listed():
        file = ROOT / name
        if name.startswith(KEPT) or file.suffix not in TEXT or not file.is_file():
            continue
        before = file.read_text("utf-8")
        after = imports.rewritten(before) if file.suffix == ".py" else before
        after = names.sub(lambda found: moved[found["name"]], after)
        # a package that is run is written without its `__main__`
        after = re.sub(r"(?<=[\"`])((?:python -m )?doorward\.server)\.__main__", r"\1", after)
        after = path.sub(lambda found: found[1] + paths[found[2]], after)
        if after != before:
            file.write_text(after, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
