"""State of a running system with its credentials: `state.json`, written by `doorward dev`, read by the demo's programs.

It contains the secrets of the demo apps, so only its owner can read it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from doorward_demo.dev.places import Places


class Credential(Struct, frozen=True):
    """An app's client_id, and its secret where it has one."""

    client_id: str
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Credential({self.client_id!r}, ***)"


class DemoApps(Struct, frozen=True):
    """`shop`: the demo app. `driver`: a public app with which `doorward demo` signs in. `report`: a service
    that acts for itself. `device`: a command line."""

    shop: Credential
    driver: Credential
    report: Credential
    device: Credential


class State(Struct, frozen=True, kw_only=True):
    """`ready` once all three have answered; `pid` is the process that watches them."""

    pid: int
    ready: bool
    places: Places
    apps: DemoApps
    foreign_audience: str
    refresh_leeway: int


DRIVER_CALLBACK: Final = "/driver/callback"
DRIVER_SIGNED_OUT: Final = "/driver/signed-out"
"""Paths at the demo app's address to which the driver is redirected; it reads the redirect and never requests them."""

_decode = msgspec.json.Decoder(State).decode


def read(path: Path) -> State | None:
    """Read the file; None when it is missing or written by another version."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def write(path: Path, state: State) -> None:
    """Replace the file atomically: a reader sees the old or the new content, never a part."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
    fresh.replace(path)
