"""Facebook: OAuth 2.0 and the Graph API, whose versions expire, and which never says that an address was confirmed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, cast, final
from urllib.parse import urlencode

from doorward.features.authn.providers.services.oauth2 import OAuth2Service
from doorward_verify.encoding import Malformed, b64url_decode, json_object

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

EXPIRES: Final = {
    "v19.0": date(2026, 5, 21),
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}
"""Days on which versions of the Graph API end, as its list of versions says. A newer version has no such day yet."""
_LATELY: Final = 86_400
"""Seconds for which a request for deletion is good: whoever sees an old one cannot send it again for years."""
_OF_SIGN_IN: Final = frozenset({"code", "oauth_token"})
"""Members of a signed request that say who is signed in."""
_MAX_SIGNED: Final = 4000
_MAX_SUBJECT: Final = 255
_CODES: Final = 10**9
"""Numbers of errors are smaller."""
_AHEAD: Final = 90
"""Days for which an operator is warned before."""


@final
class _Facebook(OAuth2Service, frozen=True, kw_only=True):
    def documents(self, policy: ProviderPolicy, access_token: str) -> Mapping[str, str]:
        """The person. The proof shows that the caller has the app's secret, without which a stolen token is of no use at an app that requires
        it."""
        secret = policy.client_secret.reveal() if policy.client_secret is not None else ""
        proof = hmac.new(secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()
        asked = {"fields": "id,name,email", "appsecret_proof": proof}
        return {"": f"{policy.userinfo_endpoint}?{urlencode(asked, safe=',')}"}

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """The address, if the person has one and shares it. It is never confirmed: accounts with only a phone number have none, and others
        may be long out of use."""
        return OAuth2Service.address(self, claims, policy)[0], False

    def error_code(self, answer: Mapping[str, Any]) -> str:
        """The type and the numbers of the error, which is an object."""
        error: object = answer.get("error")
        if not isinstance(error, dict):
            return OAuth2Service.error_code(self, answer)
        members = cast("Mapping[str, object]", error)
        kind = OAuth2Service.error_code(self, {"error": members.get("type")})
        numbers = [members.get(name) for name in ("code", "error_subcode")]
        return " ".join([kind, *(str(one) for one in numbers if type(one) is int and 0 <= one < _CODES)])

    def deletion_subject(self, request: str, policy: ProviderPolicy, now: int) -> str | None:
        """The number in a signed request ("Data Deletion Request Callback"): the signature is over the payload as it was sent, in base64url
        with or without its padding. Facebook signs for a page's scripts who is signed in there in the same way, with a code or token:
        such a text asks for nothing."""
        mac, _, payload = request[:_MAX_SIGNED].partition(".")
        secret = policy.client_secret.reveal() if policy.client_secret is not None else ""
        if not secret or not payload:
            return None
        right = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
        try:
            if not hmac.compare_digest(b64url_decode(mac.rstrip("=")), right):
                return None
            said = json_object(b64url_decode(payload.rstrip("=")))
        except Malformed:
            return None
        subject, at = said.get("user_id"), said.get("issued_at")
        lately = type(at) is int and abs(now - at) <= _LATELY
        named = isinstance(subject, str) and subject.isascii() and 0 < len(subject) <= _MAX_SUBJECT
        good = lately and named and _OF_SIGN_IN.isdisjoint(said)
        return str(subject) if good and said.get("algorithm") == "HMAC-SHA256" else None

    def warnings(self, policy: ProviderPolicy, now: int) -> tuple[str, ...]:
        """That the version of the Graph API ends soon, or has ended."""
        version = policy.api_version
        ends, today = EXPIRES.get(version), datetime.fromtimestamp(now, UTC).date()
        newest = list(EXPIRES)[-1]
        if ends is None or (ends - today).days > _AHEAD:
            return ()
        when = "ended" if ends <= today else "ends"
        return (
            f"version {version} of the Graph API {when} on {ends}: set api_version to a later one, such as {newest}, after reading what changed",
        )


FACEBOOK: Final = _Facebook(
    name="facebook",
    asks_deletion=True,
    defaults={
        "issuer": "https://www.facebook.com",
        "label": "Facebook",
        "client_auth": "client_secret_post",
        "scopes": ("public_profile", "email"),
        "api_version": "v25.0",
        "authorization_endpoint": "https://www.facebook.com/{api_version}/dialog/oauth",
        "token_endpoint": "https://graph.facebook.com/{api_version}/oauth/access_token",
        "userinfo_endpoint": "https://graph.facebook.com/{api_version}/me",
        # only in its flow with ID tokens, which is in testing
        "pkce": False,
    },
)
