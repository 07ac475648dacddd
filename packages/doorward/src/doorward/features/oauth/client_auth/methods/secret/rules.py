"""Client secret in an Authorization header or in the body: client_secret_basic and client_secret_post (OAuth 2.1 §2.4.1)."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from hashlib import sha256
from hmac import compare_digest
from typing import ClassVar, Final, final
from urllib.parse import unquote_plus

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.token_request import TokenRequest
from doorward.features.oauth.client_auth.method import FAILED, MAX_TEXT, MISSING, Presented

_UNREADABLE: Final = OAuthError(
    "invalid_client", FAILED, "the Authorization header is not base64 of client_id:client_secret"
)
_OTHER_CLIENT: Final = OAuthError(
    "invalid_request", "client_id differs from the one in the Authorization header."
)


class _ClientSecret:
    """Verification shared by both ways of sending a secret."""

    __slots__ = ()
    algorithms: ClassVar[tuple[str, ...]] = ()

    def verify(
        self, presented: Presented, client: Client, request: TokenRequest, *, issuer: str, policy: TokenPolicy
    ) -> OAuthError | None:
        """None when the secret is one of the live ones.

        The secret is 256 random bits, so one SHA-256 is enough, and a password hash would only cost time. Every live secret is
        compared in constant time, so that timing reveals neither the position nor the length of a match (R24).
        """
        del issuer, policy
        digest = sha256(
            presented.secret.reveal().encode("utf-8", "surrogatepass") if presented.secret else b""
        ).digest()
        right = False
        for secret in client.secrets:
            if secret.expires_at is None or secret.expires_at > request.now:
                right |= compare_digest(digest, secret.hash)
        return None if right else OAuthError("invalid_client", FAILED, "the secret is wrong or has expired")


@final
class ClientSecretBasic(_ClientSecret):
    """RFC 6749 §2.3.1: id and secret are each form-encoded, then joined and sent by Basic (RFC 7617)."""

    __slots__ = ()
    name: ClassVar[str] = "client_secret_basic"
    scheme: ClassVar[str | None] = "basic"
    credentials: ClassVar[tuple[str, ...]] = ()

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        """The id and the secret of the Authorization header."""
        scheme, _, coded = (request.authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            text = a2b_base64(coded.strip().encode("ascii"), strict_mode=True).decode("utf-8")
            client_id, colon, secret = text.partition(":")
            if "%" in text or "+" in text:
                client_id = unquote_plus(client_id, errors="strict")
                secret = unquote_plus(secret, errors="strict")
        except (Base64Error, UnicodeError):
            return _UNREADABLE
        if not colon or not client_id or len(text) > 2 * MAX_TEXT or "\x00" in client_id:
            return _UNREADABLE
        if request.form.get("client_id", client_id) != client_id:
            return _OTHER_CLIENT
        return Presented("client_secret_basic", client_id, Secret(secret))


@final
class ClientSecretPost(_ClientSecret):
    """The secret as a form parameter."""

    __slots__ = ()
    name: ClassVar[str] = "client_secret_post"
    scheme: ClassVar[str | None] = None
    credentials: ClassVar[tuple[str, ...]] = ("client_secret",)

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        """The id and the secret of the body."""
        secret = request.form.get("client_secret")
        client_id = request.form.get("client_id")
        if secret is None:
            return None
        if not client_id:
            return OAuthError("invalid_client", MISSING, "no credential and no client_id")
        if len(client_id) > MAX_TEXT:
            return OAuthError("invalid_client", FAILED, "an oversized client_id")
        if len(secret) > MAX_TEXT:
            return OAuthError("invalid_client", FAILED, "an oversized client_secret")
        return Presented("client_secret_post", client_id, Secret(secret))
