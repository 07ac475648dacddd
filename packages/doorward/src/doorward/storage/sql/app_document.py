"""An app's stored document: how it is read when an older program wrote it, and what older programs find in it.

During a rolling update programs of two versions share one database. An older one ignores members that it does not know and
drops them when it writes an app anew; so each newer member stands beside the older one that it replaces, which says the nearest
thing that is not weaker. Where the newer member is missing, the older one says what is meant.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, structs

from doorward.core.model.client import Client, Pkce, SigningAlgorithm
from doorward.storage.sql.statements import to_json


class _Stored(Client, frozen=True, kw_only=True):
    """All that is written: the app, and beside it what older programs read."""

    pkce_required: bool
    signing_alg: SigningAlgorithm


class _Older(Struct, frozen=True):
    """Whether the newer members are there, and what stands in their place where they are not."""

    pkce: Pkce | None = None
    pkce_required: bool = True
    id_token_signed_alg: SigningAlgorithm | None = None
    signing_alg: SigningAlgorithm = "ES256"


_ACCESS: Final[SigningAlgorithm] = "ES256"
_client = msgspec.json.Decoder(Client)
_older = msgspec.json.Decoder(_Older)


def read(document: str) -> Client:
    """The app of a stored document, whichever program wrote it."""
    client, older = _client.decode(document), _older.decode(document)
    if older.pkce is None:
        # `false` always meant that a nonce stands in: without one the request was refused
        client = structs.replace(client, pkce="required" if older.pkce_required else "or_nonce")
    if older.id_token_signed_alg is None:
        # it signed all of the app's tokens; ES256 for access tokens needs no keeping, since that is what they are signed with
        alg = older.signing_alg
        kept = None if alg == _ACCESS else alg
        client = structs.replace(client, id_token_signed_alg=alg, access_token_signed_alg=kept)
    return client


def write(client: Client) -> str:
    """The document of an app. An older program asks an `optional` app for a nonce, as it does with every app that is not required
    to use PKCE; and it signs all tokens as ID tokens are, since of the two the app's library is the one that insists."""
    return to_json(
        _Stored(
            **structs.asdict(client),
            pkce_required=client.pkce == "required",
            signing_alg=client.id_token_signed_alg,
        )
    )
