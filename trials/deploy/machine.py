"""Service of `deploy/systemd`, tested against the guide: on a Debian booted by systemd, installed with the
guide's commands."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.server.crowd import Crowd
from trials.deploy.ground import BUILD, ROOT, run, sources
from trials.deploy.people import seed, signs_in, status, token
from trials.deploy.report import Report, until

BASE = "http://127.0.0.1:8000"
DATABASE = "sqlite:////var/lib/doorward/doorward.db"
GUIDE = ROOT / "docs/guides/deploy.md"
_UNITS = ("doorward.socket", "doorward.service")


@dataclass(frozen=True, slots=True)
class Shown:
    """The commands and settings in the guide under "One machine"."""

    install: str
    secrets: str
    settings: str
    environment: tuple[str, ...]
    """NAME=value of a command that root types."""


def shown() -> Shown:
    """Read the guide. Raises ValueError unless it has three blocks of commands and one of settings."""
    text = GUIDE.read_text("utf-8").split("## One machine")[1].split("\n## ")[0]
    blocks = [
        re.findall(rf"^ *```{kind}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE) for kind in ("sh", "toml")
    ]
    (install, secrets, asks), (settings,) = blocks
    words = shlex.split(asks.replace("\\\n", " "))
    environment = tuple(word for word in words if word.startswith("DOORWARD_"))
    return Shown(install, secrets, textwrap.dedent(settings), environment)


def prepared(tree: Path) -> Path:
    """A copy of the Debian with the server installed by the guide's commands, with a file as its database."""
    place = BUILD / "machine"
    guide = shown()
    shutil.rmtree(place, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", tree, place)
    sources(place / "root/doorward")
    shutil.copyfile("/etc/resolv.conf", place / "etc/resolv.conf")
    secrets = re.sub(r"postgresql://\S+?(?=')", DATABASE, guide.secrets)
    units = "cp deploy/systemd/doorward.* /etc/systemd/system/"
    lines = f"set -e\ncd /root/doorward\n{guide.install}\n{secrets}\n{units}\n"
    within = 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" sh -c "$2"'
    run("unshare", "--mount", "sh", "-c", within, "sh", place, lines)
    (place / "etc/doorward/doorward.toml").write_text(guide.settings, "utf-8")
    (place / "etc/machine-id").write_text("")
    return place


class Machine:
    """A booted machine."""

    def __init__(self, place: Path) -> None:
        self.place = place
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", str(place), "--boot"]
        with (BUILD / "machine.log").open("wb") as log:
            self._nspawn = psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(60, lambda: self.ask("systemctl", "is-system-running").strip() in {"running", "degraded"})

    def ask(self, *command: str, said: str | None = None, check: bool = False) -> str:
        """The output of a command that runs on it as root."""
        children = self._nspawn.children()
        if not children:
            return ""
        enter = (
            "nsenter",
            "-t",
            str(children[0].pid),
            "-a",
            "--",
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        )
        return run(*enter, *command, said=said, check=check)

    def doorward(self, *words: str, said: str | None = None) -> dict[str, Any]:
        """Run a Doorward command, with its secrets named as in the guide."""
        return json.loads(
            self.ask(
                "env",
                *shown().environment,
                "/srv/doorward/current/bin/doorward",
                *words,
                "--json",
                said=said,
                check=True,
            )
        )

    def show(self, name: str) -> str:
        """A property of the service in systemd."""
        return self.ask("systemctl", "show", "--value", "-p", name, "doorward.service").strip()

    def told(self, event: str) -> int:
        """How often an event was logged."""
        return self.ask("journalctl", "-u", "doorward", "-o", "cat").count(f'"event": "{event}"')

    def reload(self) -> str:
        """Reload as an operator does, until the new workers serve."""
        before = self.told("server.reloaded")
        self.ask("systemctl", "reload", "doorward", check=True)
        return f"{until(90, lambda: self.told('server.reloaded') > before):.1f} s"

    def off(self) -> None:
        """Shut down the machine."""
        self.ask("systemctl", "poweroff")
        self._nspawn.wait(60)


def trial(report: Report, place: Path) -> None:
    """Start, use, reload, update, restart, kill, exhaust, stop."""
    machine = Machine(place)
    ask = machine.ask
    ask("systemctl", "enable", "--now", *_UNITS, check=True)
    took = until(60, lambda: status(f"{BASE}/readyz") == 200)
    report.hold(
        "systemd starts it",
        f"ready {took:.1f} s after `systemctl enable --now`",
        kept=machine.show("Type") == "notify",
    )
    _confined(report, machine)
    till, batch = seed(machine.doorward)
    report.hold(
        "a person signs in, an app gets a token", "yes", kept=signs_in(till, BASE) and token(batch, BASE)
    )

    def crowd() -> Crowd:
        assert batch.secret is not None
        return Crowd(8000, (batch.client_id, batch.secret))

    head = machine.show("MainPID")
    report.under_load(
        "`systemctl reload`, three times", crowd(), lambda: ", ".join(machine.reload() for _ in range(3))
    )

    def update() -> str:
        ask("cp", "-a", "/srv/doorward/0.1.0", "/srv/doorward/9.9.9", check=True)
        ask(
            "sh",
            "-c",
            "sed -i s/0.1.0/9.9.9/ /srv/doorward/9.9.9/lib/python3*/site-packages/doorward/__init__.py",
            check=True,
        )
        ask("ln", "-sfn", "9.9.9", "/srv/doorward/current", check=True)
        return machine.reload()

    report.under_load("another version by its link, then reload", crowd(), update)
    new = '"version": "9.9.9"' in ask("journalctl", "-u", "doorward", "-o", "cat", "-n", "50")
    same = machine.show("MainPID") == head
    report.hold(
        "… it is the new version, under the same process id",
        "yes" if new and same else f"{new}, {same}",
        kept=new and same,
    )

    def restart() -> str:
        ask("systemctl", "restart", "doorward", check=True)
        return f"{until(60, lambda: status(f'{BASE}/readyz') == 200):.1f} s until ready"

    report.under_load("`systemctl restart`, the socket unit holding the port", crowd(), restart)
    ask("systemctl", "kill", "-s", "KILL", "--kill-who=main", "doorward", check=True)
    time.sleep(0.1)
    took = until(60, lambda: status(f"{BASE}/readyz") == 200)
    report.hold("kill -9 of the supervisor", f"answered again {took:.1f} s later", kept=signs_in(till, BASE))
    _starved(report, machine)
    ask("systemctl", "stop", "doorward", check=True)
    woken = token(batch, BASE)
    report.hold(
        "a request after `systemctl stop doorward`", "the socket unit starts it, and it answers", kept=woken
    )
    ask("systemctl", "stop", *_UNITS, check=True)
    clean = (machine.show("Result"), machine.show("ExecMainStatus")) == ("success", "0")
    report.hold(
        "`systemctl stop` of both",
        "status 0; nobody answers" if clean else "no clean end",
        kept=clean and status(BASE) == 0,
    )
    journal = ask("journalctl", "-u", "doorward", "-o", "cat")
    unforeseen = [line for line in journal.splitlines() if "Traceback" in line or "request.failed" in line]
    report.hold("errors in the journal that nobody had thought of", len(unforeseen), kept=not unforeseen)
    machine.off()


def _confined(report: Report, machine: Machine) -> None:
    main = machine.show("MainPID")
    state = dict(re.findall(r"^(\w+):\s*(.*)$", machine.ask("cat", f"/proc/{main}/status"), re.MULTILINE))
    user = state["Uid"].split()[0]
    told = f"user {user}, capabilities {state['CapBnd'].strip('0') or 'none'}, NoNewPrivs {state['NoNewPrivs']}, Seccomp {state['Seccomp']}"
    kept = (
        user != "0"
        and int(state["CapBnd"], 16) == 0
        and (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")
    )
    report.hold("who it is", told, kept=kept)
    within = ("nsenter", "-t", main, "-m", "sh", "-c")
    wrote = machine.ask(
        *within, "for d in /etc /usr /srv /home; do touch $d/x 2>/dev/null && echo $d; done"
    ).split()
    report.hold(
        "folders of the system that can be written in there, even by root", wrote or "none", kept=not wrote
    )
    secret = (machine.place / "etc/doorward/secret-key").read_text().strip()
    shown = secret in machine.ask("cat", f"/proc/{main}/environ")
    report.hold(
        "the secret key in its environment", "yes" if shown else "no, in a file of its own", kept=not shown
    )
    said = machine.ask("systemd-analyze", "security", "--no-pager", "doorward")
    exposure = re.findall(r"exposure level for doorward.service: ([\d.]+)", said)
    report.hold("`systemd-analyze security`", f"{exposure[0]} of 10", kept=float(exposure[0]) <= 1.5)


def _starved(report: Report, machine: Machine) -> None:
    """Start without its database, for longer than systemd's default start timeout."""
    url = machine.place / "etc/doorward/database-url"
    url.write_text("postgresql://doorward@127.0.0.1:5999/doorward\n")
    machine.ask("systemctl", "restart", "--no-block", "doorward", check=True)
    time.sleep(25)
    tried, state = int(machine.show("NRestarts")), machine.show("ActiveState")
    url.write_text(DATABASE + "\n")
    took = until(90, lambda: status(f"{BASE}/readyz") == 200)
    told = f"{state}, started {tried} times in 25 s; ready {took:.1f} s after the database was back"
    report.hold("a start without its database", told, kept=state == "activating")
