"""Slots of the OAuth endpoints, which other features fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doorward.features.services import Slot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from doorward.features.oauth.client_auth.method import ClientAuth
    from doorward.features.oauth.token.grant_type import GrantType
    from doorward_verify.keyset import KeySet

GRANTS: Final[Slot[GrantType]] = Slot("grants")
"""Grants of the token endpoint, in the order of the metadata."""

SERVER_METADATA: Final[Slot[Mapping[str, Any]]] = Slot("server metadata")
"""Members of the server metadata (RFC 8414 §2) beside those that every server has."""

CLIENT_AUTH: Final[Slot[ClientAuth]] = Slot("client authentication methods")
"""Client authentication methods of all endpoints, in the order of the metadata."""

KeysOf: TypeAlias = "Callable[[str, str, str, str | None], Awaitable[KeySet]]"
"""The keys of an issuer, by a name of the caller's for it, the issuer, the address of its keys, and the `kid` that is needed. Raises
`KeysUnavailable`."""
