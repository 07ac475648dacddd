"""Registered apps that are less protected than they could be. Part of `doctor`; changes nothing."""

from __future__ import annotations

from shlex import quote

from doorward.cli.tools import Check
from doorward.ports.store import Store


async def apps(store: Store) -> Check:
    """A warning that names each app which may ask for codes with neither PKCE nor a nonce."""
    clients = (await store.registry.load()).clients.values()
    bare = sorted(client.name for client in clients if client.confidential and client.pkce == "optional")
    if not bare:
        return Check("apps", True, f"{len(clients)} registered")
    return Check(
        "apps",
        True,
        f"without PKCE and without nonce, which is weaker: {', '.join(bare)}",
        f"doorward app set {quote(bare[0])} --pkce or_nonce, if its client sends either.",
    )
