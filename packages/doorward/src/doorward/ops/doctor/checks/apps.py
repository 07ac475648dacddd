"""Check of registered apps that are less protected than possible. Part of `doctor`; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from doorward.core.model.client import Client
from doorward.core.model.finding import Finding, failed, passed
from doorward.features.oauth.clients.rules import key_strength
from doorward.storage.sql.store import Store


async def apps(store: Store) -> Finding:
    """The first app with weak keys, or a warning that names each app that may request codes with neither PKCE nor a nonce."""
    clients = sorted((await store.registry.load()).clients.values(), key=lambda client: client.name)
    return _keys(clients) or _bare(clients) or passed(f"{len(clients)} registered")


def _keys(clients: Iterable[Client]) -> Finding | None:
    for client in clients:
        unusable = None if client.jwks is None else key_strength.first_unusable(client.jwks)
        if unusable is not None:
            number, reason = unusable
            fix = f"Have it make a new key, then doorward app set {quote(client.name)} --jwks FILE."
            return failed(f"{client.name}: Key {number} of the app cannot be used: {reason}.", fix)
    return None


def _bare(clients: Iterable[Client]) -> Finding | None:
    bare = [client.name for client in clients if client.confidential and client.pkce == "optional"]
    if not bare:
        return None
    return passed(
        f"without PKCE and without nonce, which is weaker: {', '.join(bare)}",
        f"doorward app set {quote(bare[0])} --pkce or_nonce, if its client sends either.",
    )
