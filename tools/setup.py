"""Set-up of `.venv` for a target: `python3 tools/setup.py dev|test|check|bench|all`.

It runs on a machine with only Python 3.11: standard library only, and syntax that an older Python can parse
far enough to report what is missing. Sets whose requirement files and pyproject.toml files have unchanged
hashes are skipped, so that the second run takes almost no time.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Another folder for another Python: the tests run the demo on every installed version.
VENV = Path(os.environ.get("DOORWARD_VENV") or ROOT / ".venv").absolute()
STAMP = VENV / "doorward-setup.json"
REQUIREMENTS = ROOT / "requirements"
PACKAGES = ("packages/doorward-verify", "packages/doorward", "packages/doorward-demo")
OLDEST = (3, 11)

RUNTIME = ("build", "runtime", "valkey", "ldap", "demo")
SETS = {
    "dev": RUNTIME,
    # the repository tests run the import linter
    "test": (*RUNTIME, "test", "check"),
    "check": (*RUNTIME, "test", "check"),
    "bench": (*RUNTIME, "bench"),
    "all": (*RUNTIME, "test", "check", "bench"),
}


class Stop(Exception):
    """Something is missing. The message is for the person at the keyboard."""


def say(text: str) -> None:
    sys.stderr.write(f"setup: {text}\n")
    sys.stderr.flush()


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def digest(paths: list[Path]) -> str:
    seen = hashlib.sha256()
    for path in paths:
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()


def wanted(sets: tuple[str, ...]) -> dict[str, str]:
    """The stamp's content when all of these sets are installed: file -> hash."""
    answer = {name: digest([REQUIREMENTS / (name + ".txt")]) for name in ("uv", *sets)}
    # The folder is part of the fingerprint: in a moved clone, editable installs and scripts point to the old place.
    answer["packages"] = digest([ROOT / p / "pyproject.toml" for p in PACKAGES]) + " " + str(ROOT)
    return answer


def installed() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    # The Python below the environment may have been removed or changed (a system upgrade).
    if stamp.get("python") != str(venv_python().resolve()) or not venv_python().exists():
        return {}
    return stamp.get("files", {})


def environment() -> dict[str, str]:
    """The caller's variables without those that would make an installer use another environment."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "UV_PYTHON")
    answer = {k: v for k, v in os.environ.items() if k not in dropped}
    answer.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", UV_NO_PROGRESS="1")
    return answer


def run(command: list[str], *, quiet: bool = False) -> bool:
    out = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if out.returncode and not quiet:
        sys.stderr.write(out.stdout.decode("utf-8", "replace"))
    return out.returncode == 0


def works() -> bool:
    """Whether `.venv` has a Python that is recent enough and can install packages."""
    question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return venv_python().exists() and run([str(venv_python()), "-c", question], quiet=True)


def make_venv() -> None:
    if works():
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        import ensurepip
        import venv  # noqa: F401
    except ImportError as error:
        raise Stop(
            f"this Python ({sys.executable}) comes without the module {error.name}. On Debian and Ubuntu: "
            f"apt-get install python3-venv (or python{version}-venv); then run make again"
        ) from None
    del ensurepip
    say("making .venv with Python " + version)
    if not run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise Stop("python -m venv failed, see above. On Debian and Ubuntu: apt-get install python3-venv")


def pip_index() -> str | None:
    """uv does not read pip's settings, so a mirror that is configured for pip is passed to uv."""
    if os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL"):
        return None
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    out = subprocess.run(
        [str(venv_python()), "-m", "pip", "config", "get", "global.index-url"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return out.stdout.decode().strip() or None if out.returncode == 0 else None


def install(arguments: list[str]) -> bool:
    """`uv pip install`, or plain pip where uv cannot work; both check every hash when requested."""
    with_uv = [str(venv_python()), "-m", "uv", "pip", "install", "--quiet", "--python", str(venv_python())]
    # The system's certificates: behind a corporate proxy only they are valid.
    with_uv.append("--system-certs")
    index = pip_index()
    if index:
        with_uv += ["--default-index", index]
    if run(with_uv + arguments, quiet=True):
        return True
    say("uv did not manage, trying pip")
    return run([str(venv_python()), "-m", "pip", "install", "--quiet", *arguments])


def fill(sets: tuple[str, ...], have: dict[str, str], want: dict[str, str]) -> None:
    if have.get("uv") != want["uv"]:
        say("installing uv, the installer of the rest")
        pip = [str(venv_python()), "-m", "pip", "install", "--quiet", "--require-hashes"]
        # Not fatal: pip can do everything, but more slowly.
        run([*pip, "-r", "requirements/uv.txt"], quiet=True)
    stale = [name for name in sets if have.get(name) != want[name]]
    if stale:
        say("installing " + ", ".join(f"requirements/{name}.txt" for name in stale))
        asked = [part for name in stale for part in ("-r", f"requirements/{name}.txt")]
        if not install(["--require-hashes", *asked]):
            raise Stop(
                "the requirements could not be installed, see above; nothing was recorded, run make again"
            )
    if have.get("packages") != want["packages"]:
        say("installing the packages from their folders")
        editable = [part for package in PACKAGES for part in ("-e", "./" + package)]
        if not install(["--no-build-isolation", "--no-deps", *editable]):
            raise Stop("the packages could not be installed, see above")


@contextmanager
def alone() -> Iterator[None]:
    """Lock out a second `make`, which would change the same environment at the same time."""
    try:
        import fcntl
    except ImportError:  # no such lock on Windows
        yield
        return
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST:
        say(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}; try make PYTHON=python3.11")
        return 1
    if len(arguments) != 1 or arguments[0] not in SETS:
        say("say one of: " + ", ".join(SETS))
        return 2
    sets = SETS[arguments[0]]
    try:
        want = wanted(sets)
        if want.items() <= installed().items():
            return 0
        with alone():
            have = installed()
            make_venv()
            fill(sets, have, want)
            # The sets of other targets stay valid only as long as their files are unchanged.
            stamp = {"python": str(venv_python().resolve()), "files": {**have, **want}}
            STAMP.write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
    except Stop as stop:
        say(str(stop))
        return 1
    say("ready")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
