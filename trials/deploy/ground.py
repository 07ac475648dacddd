"""Base system of the trial: a Debian made by debootstrap, and copies of it, in the trial's own namespaces."""

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
"""Programs, and the Debian packages that contain them."""
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
    """The output of a command. Raises RuntimeError with the end of its output when it fails."""
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
    """The folder with that Debian, created once. It has this machine's trusted certificates and package sources."""
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
    """Copy the repository's present files for the deployment."""
    names = run("git", "-C", ROOT, "ls-files", "-z", "packages", "requirements", "deploy").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, into / name)


def enclose(arguments: Sequence[str]) -> None:
    """Replace this process by the same program in its own network, process and mount namespaces, so that no
    process remains after its end. Returns when this is that program already; it then has its own ports and
    the unified cgroups."""
    if os.environ.get(_ENCLOSED) != "yes":
        apart = ("unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
        command = [*apart, sys.executable, "-m", "trials.deploy", *arguments]
        os.execvpe(command[0], command, {**os.environ, _ENCLOSED: "yes"})
    run("ip", "link", "set", "lo", "up")
    if run("stat", "-fc", "%T", "/sys/fs/cgroup").strip() != _CGROUP2:
        run("umount", "-R", "/sys/fs/cgroup")
        run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    # the state of container networks outside is not visible here
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "none", "/var/lib/cni")


def enclosed() -> bool:
    """Whether this process is in those namespaces."""
    return os.environ.get(_ENCLOSED) == "yes"
