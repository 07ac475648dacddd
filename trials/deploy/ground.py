"""On what does the trial run? A Debian that debootstrap makes, and copies of it; in namespaces of the trial's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "deploy"
PACKAGES = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "podman": "podman",
    "crun": "crun",
    "nginx": "nginx-light",
    "ip": "iproute2",
}
"""Programs, and Debian's packages that have them."""
_INSIDE = (
    "python3",
    "python3-venv",
    "python-is-python3",
    "ca-certificates",
    "openssl",
    "systemd-sysv",
    "dbus",
)
_ENCLOSED = "DEPLOY_TRIAL_ENCLOSED"
_CGROUP2 = "cgroup2fs"


def run(*command: str | Path, said: str | None = None, check: bool = True) -> str:
    """What a command prints. Raises RuntimeError with its last words when it fails."""
    done = subprocess.run(
        [str(word) for word in command], input=said, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout)[-1500:]}")
    return done.stdout


def missing() -> list[str]:
    """The packages that are not installed."""
    return [package for program, package in PACKAGES.items() if shutil.which(program) is None]


def debian(release: str) -> Path:
    """The folder with that Debian, made once. What this machine trusts, and where it asks for packages, holds in there too."""
    tree = BUILD / release
    if not (tree / "made").exists():
        shutil.rmtree(tree, ignore_errors=True)
        tree.parent.mkdir(parents=True, exist_ok=True)
        run("debootstrap", "--variant=minbase", f"--include={','.join(_INSIDE)}", release, tree)
        for file in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"):
            if Path(file).is_file():
                shutil.copyfile(file, f"{tree}{file}")
        (tree / "made").touch()
    return tree


def sources(into: Path) -> None:
    """What the repository holds at this moment of the files that are deployed."""
    names = run("git", "-C", ROOT, "ls-files", "-z", "packages", "requirements", "deploy").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, into / name)


def enclose(arguments: Sequence[str]) -> None:
    """Become the same program in network, process and mount namespaces of its own: when it ends, however it ends, nothing is left
    running. Returns when this is that program already; the ports are its own then, and the cgroups the unified ones."""
    if os.environ.get(_ENCLOSED) != "yes":
        apart = ("unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
        command = [*apart, sys.executable, "-m", "trials.deploy", *arguments]
        os.execvpe(command[0], command, {**os.environ, _ENCLOSED: "yes"})
    run("ip", "link", "set", "lo", "up")
    if run("stat", "-fc", "%T", "/sys/fs/cgroup").strip() != _CGROUP2:
        run("umount", "-R", "/sys/fs/cgroup")
        run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    # what container networks remember outside is not ours
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "none", "/var/lib/cni")


def enclosed() -> bool:
    """Whether this process is in those namespaces."""
    return os.environ.get(_ENCLOSED) == "yes"
