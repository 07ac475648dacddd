"""An app's stored document: how it is read when an older program wrote it, and what older programs find in it.

During a rolling update programs of two versions share one database. An older one ignores members that it does not know and
drops them when it writes an app anew; so each newer member stands beside the older one that it replaces, which says the nearest
thing that is not weaker. Where the newer member is missing, the older one says what is meant.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, structs

from doorward.model.client import Client, Pkce
from doorward.stores.sql.statements import to_json


class _Stored(Client, frozen=True, kw_only=True):
    """All that is written: the app, and beside it what older programs read."""

    pkce_required: bool


class _Older(Struct, frozen=True):
    """Whether the newer members are there, and what stands in their place where they are not."""

    pkce: Pkce | None = None
    pkce_required: bool = True


_client = msgspec.json.Decoder(Client)
_older = msgspec.json.Decoder(_Older)


def read(document: str) -> Client:
    """The app of a stored document, whichever program wrote it."""
    client, older = _client.decode(document), _older.decode(document)
    if older.pkce is None:
        # `false` always meant that a nonce stands in: without one the request was refused
        client = structs.replace(client, pkce="required" if older.pkce_required else "or_nonce")
    return client


def write(client: Client) -> str:
    """The document of an app. An older program asks an `optional` app for a nonce, as it does with every app that is not required
    to use PKCE."""
    return to_json(_Stored(**structs.asdict(client), pkce_required=client.pkce == "required"))
