"""Stored document of an app: how documents of older versions are read, and what older versions find in new ones.

During a rolling update programs of two versions share one database. An older one ignores members that it does not know,
and drops them when it writes the app. So each newer member is stored beside the older one that it replaces, which holds
the nearest value that is not weaker. Where the newer member is missing, the older one counts.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, structs

from doorward.core.model.client import Client, Pkce, SigningAlgorithm
from doorward.storage.sql.statements import to_json


class _Stored(Client, frozen=True, kw_only=True):
    """The stored form: the app, and the members that older versions read."""

    pkce_required: bool
    signing_alg: SigningAlgorithm


class _Older(Struct, frozen=True):
    """Whether the newer members are present, and the older values that replace them if not."""

    pkce: Pkce | None = None
    pkce_required: bool = True
    id_token_signed_alg: SigningAlgorithm | None = None
    signing_alg: SigningAlgorithm = "ES256"


_ACCESS: Final[SigningAlgorithm] = "ES256"
_client = msgspec.json.Decoder(Client)
_older = msgspec.json.Decoder(_Older)


def read(document: str) -> Client:
    """The app of a stored document, written by any version."""
    client, older = _client.decode(document), _older.decode(document)
    if older.pkce is None:
        # `false` always allowed a nonce instead: without one the request was refused
        client = structs.replace(client, pkce="required" if older.pkce_required else "or_nonce")
    if older.id_token_signed_alg is None:
        # it signed all of the app's tokens; ES256 for access tokens need not be stored, since that is the default
        alg = older.signing_alg
        kept = None if alg == _ACCESS else alg
        client = structs.replace(client, id_token_signed_alg=alg, access_token_signed_alg=kept)
    return client


def write(client: Client) -> str:
    """The document of an app. An older version requires a nonce from an `optional` app, as from every app that need not
    use PKCE. It signs all tokens with the ID token algorithm, because the app's library insists on that one."""
    return to_json(
        _Stored(
            **structs.asdict(client),
            pkce_required=client.pkce == "required",
            signing_alg=client.id_token_signed_alg,
        )
    )
