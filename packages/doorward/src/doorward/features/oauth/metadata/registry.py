"""The explicit list of what the server offers: ways for people and apps to prove themselves, and ways to a token. Nothing
registers itself."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from doorward.features.authn.factors.email_code import rules as mail_code
from doorward.features.authn.factors.recovery_codes import rules as recovery_code
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.oauth.client_auth.methods.none import rules as none
from doorward.features.oauth.client_auth.methods.private_key_jwt import rules as private_key_jwt
from doorward.features.oauth.client_auth.methods.secret import rules as secret
from doorward.features.oauth.grants.authorization_code import rules as authorization_code
from doorward.features.oauth.grants.client_credentials import rules as client_credentials

FACTORS: Final[dict[str, ModuleType]] = {
    "mail_code": mail_code,
    "totp": totp,
    "recovery_code": recovery_code,
}

CLIENT_AUTHENTICATIONS: Final[tuple[str, ...]] = (
    *secret.METADATA,
    *private_key_jwt.METADATA,
    *none.METADATA,
)
ASSERTION_ALGORITHMS: Final = private_key_jwt.ALGORITHMS

GRANTS: Final[tuple[str, ...]] = (authorization_code.METADATA, "refresh_token", client_credentials.METADATA)
