"""`doorward-demo login | orders | logout`: a command line of the demo, for the `doorward dev` that runs in this folder."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

import msgspec
import segno
from msgspec import Struct

from doorward_demo.demo.device.client import DeviceClient, NoAccess, ShownCodes
from doorward_demo.dev.folder import Folder
from doorward_demo.dev.state import State

KEPT: Final = "device.json"
"""The file with the refresh token, in the folder of `doorward dev`. A program for people keeps it in their keyring."""


class KeptSignIn(Struct, frozen=True):
    """The refresh token of this command line."""

    refresh_token: str

    def __repr__(self) -> str:
        return "KeptSignIn(***)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="doorward-demo", description="A command line that signs in with a code."
    )
    parser.add_argument(
        "command", choices=("login", "orders", "logout"), help="login first; then orders, logout"
    )
    chosen: str = parser.parse_args(arguments).command
    folder = Folder(Path.cwd())
    state = folder.running()
    if state is None or not state.ready:
        sys.stderr.write("No doorward dev runs in this folder. Start it: doorward dev\n")
        return 1
    try:
        client = DeviceClient(state.places.issuer, state.apps.device.client_id, state.places.api)
        try:
            return {"login": login, "orders": orders, "logout": logout}[chosen](
                client, state, folder.path / KEPT
            )
        finally:
            client.close()
    except NoAccess as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the code is not used.\n")
        return 130


def login(client: DeviceClient, state: State, kept: Path) -> int:
    """Show a code, wait for the person, and list their orders."""
    codes = client.begin()
    show(codes, sys.stdout)
    said = client.wait(codes)
    _keep(kept, str(said["refresh_token"]))
    sys.stdout.write("✓ Signed in.\n")
    return _list(client, state, str(said["access_token"]))


def orders(client: DeviceClient, state: State, kept: Path) -> int:
    """List the orders of whoever signed in."""
    known = _read(kept)
    said = client.refresh(known.refresh_token) if known is not None else None
    if said is None:
        kept.unlink(missing_ok=True)
        raise NoAccess("You are not signed in. Sign in: doorward-demo login")
    _keep(kept, str(said["refresh_token"]))
    return _list(client, state, str(said["access_token"]))


def logout(client: DeviceClient, state: State, kept: Path) -> int:
    """End the sign-in of this command line."""
    del state
    known = _read(kept)
    if known is not None:
        client.revoke(known.refresh_token)
        kept.unlink(missing_ok=True)
    sys.stdout.write("✓ Signed out.\n" if known is not None else "You were not signed in.\n")
    return 0


def show(codes: ShownCodes, out: TextIO) -> None:
    """The address as a QR code, and both to type. The QR code is drawn on terminals only: in a file it would be noise."""
    if out.isatty():
        segno.make_qr(codes.verification_uri_complete, error="m").terminal(out=out, border=2, compact=True)
    out.write(f"\nOpen  {codes.verification_uri}\nCode  {codes.user_code}\n\n")
    out.write(f"Waiting for you, for {codes.expires_in // 60} minutes. Stop: Ctrl+C\n")
    out.flush()


def _list(client: DeviceClient, state: State, access_token: str) -> int:
    found = client.orders(state.places.api, access_token)
    if found is None:
        raise NoAccess("The API accepts this sign-in no longer. Sign in: doorward-demo login")
    for order in found:
        sys.stdout.write(f"  {order['quantity']} × {order['item']}\n")
    return 0


def _read(kept: Path) -> KeptSignIn | None:
    try:
        return msgspec.json.decode(kept.read_bytes(), type=KeptSignIn)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(kept: Path, refresh_token: str) -> None:
    fresh = kept.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(KeptSignIn(refresh_token)))
    fresh.replace(kept)
