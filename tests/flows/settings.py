"""Settings of a server under test: a real doorward.toml in its own folder, read by the real loader."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = tuple(ROOT / "packages" / name / "src" for name in ("doorward", "doorward-verify", "doorward-demo"))


def write_settings(
    folder: Path,
    issuer: str,
    sections: dict[str, dict[str, Any]] | None = None,
    *,
    database: str | None = None,
    cache: str | None = None,
) -> Path:
    """`doorward.toml` in `folder`, for development; `sections` such as {"tokens": {"access_ttl": 60}} are added. Returns its
    path.

    `database`: its URL; a SQLite file in `folder` if omitted.
    """
    wanted: dict[str, dict[str, Any]] = {
        "passwords": {"threads": 2},
        # every person of a test has the same address, 127.0.0.1
        "throttle": {"per_address": 100_000, "mails_per_address": 1_000, "mails_per_day": 10_000},
        "log": {"level": "info", "format": "json"},
    }
    for name, values in (sections or {}).items():
        wanted[name] = {**wanted.get(name, {}), **values}
    lines = [
        f'issuer = "{issuer}"',
        f"database = {json.dumps(database or 'doorward.db')}",
        "development = true",
        *([f"cache = {json.dumps(cache)}"] if cache else []),
    ]
    for name, values in wanted.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path = folder / "doorward.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def environment(sources: Sequence[Path] = SOURCES) -> dict[str, str]:
    """For a child process: the sources of this tree or another, and no setting of the user who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONUTF8": "1"}


def listening() -> socket.socket:
    """A socket that already listens on a free port of 127.0.0.1: no process can take the port in between."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener
