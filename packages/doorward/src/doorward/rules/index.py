"""The explicit list of what the server offers: ways for an app to prove itself, and ways to a token. Nothing registers itself."""

from __future__ import annotations

from typing import Final

from doorward.rules.identify.client_auth import none, private_key_jwt, secret
from doorward.rules.issue.grants import authorization_code, client_credentials

CLIENT_AUTHENTICATIONS: Final[tuple[str, ...]] = (
    *secret.METADATA,
    *private_key_jwt.METADATA,
    *none.METADATA,
)
ASSERTION_ALGORITHMS: Final = private_key_jwt.ALGORITHMS

GRANTS: Final[tuple[str, ...]] = (authorization_code.METADATA, "refresh_token", client_credentials.METADATA)
