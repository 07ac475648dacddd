"""The explicit list of what the server offers: ways for people and apps to prove themselves, and ways to a token. Nothing
registers itself."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from doorward.rules.identify.client_auth import none, private_key_jwt, secret
from doorward.rules.issue.grants import authorization_code, client_credentials
from doorward.rules.prove.factors import mail_code, recovery_code, totp

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
