"""`python -m trials.deploy`: runs the trial as root on Debian, prints a row for each promise, writes
build/deploy/table.md.

The exit status is 0 when every promise is kept, 1 when one is not, 2 where it cannot run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence

from tools import system
from trials.deploy import ground, image, machine
from trials.deploy.report import Report


def main(given: Sequence[str]) -> int:
    """Prepare what needs the network, then run the trial in namespaces without one. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m trials.deploy", description="What deploy/ holds, run for real."
    )
    parser.add_argument("--release", default="trixie", help="which Debian (default trixie; bookworm)")
    parser.add_argument("--only", choices=("machine", "image"), help="half of it")
    asked = parser.parse_args(given)
    nginx = system.nginx()
    absent = ground.missing()
    if os.geteuid() != 0 or absent or isinstance(nginx, system.Missing):
        sys.stderr.write(
            f"deploy trial: runs as root, with Debian's packages: {' '.join(absent) or 'all there'}\n"
        )
        return 2
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"· {time.monotonic() - began:5.1f} s  {what}\n")

    place = ground.BUILD / "machine"
    if not ground.enclosed():
        tree = ground.debian(asked.release)
        if asked.only != "image":
            machine.prepared(tree)
            say("a machine, installed by the lines of docs/guides/deploy.md")
        if asked.only != "machine":
            say(f"an image, built in {image.built(tree):.0f} s")
    ground.enclose(given)
    report = Report(say)
    if asked.only != "image":
        machine.trial(report, place)
    if asked.only != "machine":
        image.trial(report, nginx)
    (ground.BUILD / "table.md").write_text(report.markdown(), "utf-8")
    sys.stdout.write(
        f"Debian {asked.release}, Linux {platform.release()}, {os.cpu_count()} cores\n{report.markdown()}"
    )
    return 0 if all(row.kept for row in report.rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
