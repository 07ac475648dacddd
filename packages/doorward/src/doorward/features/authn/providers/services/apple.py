"""Apple: answers by a form of its own page, a client secret that is a signed token, and a name that is sent once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from doorward.features.authn.providers.services.service import CANCELLED, ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

SECRET_TTL: Final = 300
"""Seconds; Apple accepts six months. A secret is made for each call, so that none is kept."""
_MAX_USER: Final = 4000
_MAX_NAME: Final = 120


class AppleService(ProviderService, frozen=True, kw_only=True):
    """An OpenID provider that knows few parameters, and has neither a UserInfo endpoint nor a name in its tokens."""

    def secret_claims(self, policy: ProviderPolicy, now: int) -> Mapping[str, Any]:
        """The claims of the client secret ("Creating a client secret" in Apple's documentation)."""
        return {
            "iss": policy.team_id,
            "iat": now,
            "exp": now + SECRET_TTL,
            "aud": policy.issuer,
            "sub": policy.client_id,
        }

    def posted_name(self, fields: Mapping[str, str]) -> str:
        """The name in `user`, which comes with the first answer only. It is not signed, and passes through the browser: the person may
        have written it, and the address beside it, so that the latter is not read."""
        said = fields.get("user", "")
        if not said or len(said) > _MAX_USER:
            return ""
        try:
            found: object = json.loads(said)
        except (ValueError, RecursionError):
            return ""
        name = cast("dict[str, object]", found).get("name") if isinstance(found, dict) else None
        parts = cast("dict[str, object]", name) if isinstance(name, dict) else {}
        given = [parts.get("firstName"), parts.get("lastName")]
        return " ".join(one for one in given if isinstance(one, str) and one)[:_MAX_NAME]


APPLE: Final = AppleService(
    name="apple",
    takes=("team_id", "key_id"),
    needs=("team_id", "key_id", "client_key_file"),
    defaults={
        "issuer": "https://appleid.apple.com",
        "label": "Apple",
        "client_auth": "client_secret_post",
        "scopes": ("openid", "name", "email"),
        "signing_algs": ("RS256",),
        # Apple sends name and address in no other way
        "response_mode": "form_post",
    },
    cancelled=CANCELLED | {"user_cancelled_authorize"},
    secret_alg="ES256",
    takes_questions=False,
)
