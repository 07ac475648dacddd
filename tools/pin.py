"""Pinned, hashed requirement files (`make pin`).

`runtime.in`, `valkey.in`, `ldap.in` and `demo.in` repeat the dependencies in the packages' pyproject.toml files; the other `.in`
files are edited by hand. Each set is resolved under the sets before it, so that one environment can hold them all. The
result is valid for Python 3.11 and later on every platform, and records hashes but no address.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
PACKAGES = (ROOT / "packages/doorward-verify/pyproject.toml", ROOT / "packages/doorward/pyproject.toml")
DEMO = ROOT / "packages/doorward-demo/pyproject.toml"
OWN = ("doorward", "doorward-verify")
SETS = ("uv", "build", "runtime", "valkey", "ldap", "demo", "test", "check", "bench")


def _name(requirement: str) -> str:
    end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), len(requirement))
    return requirement[:end].lower().replace("_", "-")


def wanted() -> dict[str, str]:
    """The text of the `.in` files that are generated from the packages' pyproject.toml, by set."""
    runtime: set[str] = set()
    for path in PACKAGES:
        # The verifier's extras are frameworks that an API already has.
        runtime.update(tomllib.loads(path.read_text("utf-8"))["project"].get("dependencies", []))
    server = tomllib.loads(PACKAGES[-1].read_text("utf-8"))["project"]
    demo: set[str] = set(tomllib.loads(DEMO.read_text("utf-8"))["project"]["dependencies"])
    return {
        "runtime": _listing("What the two packages depend on.", runtime),
        "valkey": _listing(
            "What the server needs where `cache` is set.", set(server["optional-dependencies"]["valkey"])
        ),
        "ldap": _listing(
            "What the server needs where `directories` has a section.",
            set(server["optional-dependencies"]["ldap"]),
        ),
        "demo": _listing("What the demo app and the demo API need besides.", demo - runtime),
    }


def _listing(title: str, requirements: set[str]) -> str:
    lines = sorted(line for line in requirements if _name(line) not in OWN)
    return "\n".join([f"# {title} Written by tools/pin.py from packages/*/pyproject.toml.", *lines, ""])


def _compile(name: str, constraints: list[str], *, upgrade: bool) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "compile", f"requirements/{name}.in",
        "--output-file", f"requirements/{name}.txt",
        "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header",
        "--annotation-style", "line", "--system-certs", "--quiet",
    ]  # fmt: skip
    if upgrade:
        command.append("--upgrade")
    for other in constraints:
        command += ["--constraint", f"requirements/{other}.txt"]
    subprocess.run(command, cwd=ROOT, check=True)


def main(arguments: list[str]) -> int:
    """`pin.py [--upgrade]`: without it, versions that still satisfy the bounds stay."""
    if unknown := [a for a in arguments if a != "--upgrade"]:
        sys.stderr.write(f"pin: unknown argument {unknown[0]}; the only one is --upgrade\n")
        return 2
    for name, text in wanted().items():
        (FOLDER / f"{name}.in").write_text(text, "utf-8")
    for index, name in enumerate(SETS):
        sys.stderr.write(f"pin: resolving requirements/{name}.in\n")
        # uv is not installed in the environment that it fills
        _compile(name, [s for s in SETS[1:index] if s != "uv"], upgrade="--upgrade" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
