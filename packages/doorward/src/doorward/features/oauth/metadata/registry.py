"""The explicit list of what the server offers: ways for apps to prove themselves, and ways to a token. Nothing registers itself."""

from __future__ import annotations

from typing import Final

from doorward.features.oauth.client_auth.methods.none import rules as none
from doorward.features.oauth.client_auth.methods.private_key_jwt import rules as private_key_jwt
from doorward.features.oauth.client_auth.methods.secret import rules as secret
from doorward.features.oauth.grants.authorization_code import rules as authorization_code
from doorward.features.oauth.grants.client_credentials import rules as client_credentials

CLIENT_AUTHENTICATIONS: Final[tuple[str, ...]] = (
    *secret.METADATA,
    *private_key_jwt.METADATA,
    *none.METADATA,
)
ASSERTION_ALGORITHMS: Final = private_key_jwt.ALGORITHMS

GRANTS: Final[tuple[str, ...]] = (authorization_code.METADATA, "refresh_token", client_credentials.METADATA)
