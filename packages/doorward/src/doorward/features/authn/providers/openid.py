"""Client of one OpenID provider: the request, the exchange of the code, and the checked ID token (OpenID Connect Core 1.0 §3.1)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final, final
from urllib.parse import quote_plus, urlencode

from msgspec.json import encode

from doorward.adapters.http_client import CallFailed, GuardedAnswer, GuardedHttp
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.providers.documents import ProviderDocuments, ProviderUnavailable
from doorward.features.authn.providers.rules.id_token import (
    BadIdToken,
    UpstreamClaims,
    checked_claims,
    with_userinfo,
)
from doorward.features.authn.providers.rules.metadata import ProviderMetadata, response_issuer_problem
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, b64url_encode, json_object
from doorward_verify.jwk import SigningKey
from doorward_verify.jws import parse_header, sign, split, verify

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TTL: Final = 60
"""Seconds for which an assertion of this server may be used."""
_MAX_CODE: Final = 4096
_TYPES: Final = frozenset({"", "jwt"})
"""An ID token has no type, or this one: an access token is refused (RFC 9068 §4)."""


class SignInRefused(Exception):
    """What came back from the provider does not sign anybody in. The text is for the audit log, and holds no value that was sent."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdProvider:
    """`redirect_uri` is this provider's own: an answer of another one does not reach it (R91). `key`: for `private_key_jwt`."""

    name: str
    policy: ProviderPolicy
    redirect_uri: str
    documents: ProviderDocuments
    http: GuardedHttp
    clock: Clock
    random: SecureRandom
    key: SigningKey | None = None

    async def authorization_url(
        self, *, state: str, nonce: str, verifier: str, anew: bool, hint: str = "", locale: str = ""
    ) -> str:
        """Where the browser goes. `anew`: the person has to sign in there again, whatever session they have. Raises `ProviderUnavailable`."""
        metadata = await self.documents.metadata()
        asked = {
            "response_type": "code",
            "client_id": self.policy.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self.policy.scopes))),
            "state": state,
        }
        if self.policy.nonce:
            asked["nonce"] = nonce
        if self.policy.pkce:
            hashed = hashlib.sha256(verifier.encode()).digest()
            asked |= {"code_challenge": b64url_encode(hashed), "code_challenge_method": "S256"}
        if anew:
            # with max_age the token has to say when the person signed in (§2)
            asked |= {"prompt": "login", "max_age": "0"}
        if hint:
            asked["login_hint"] = hint
        if locale:
            asked["ui_locales"] = locale
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"

    async def claims(
        self, *, code: str, issuer: str | None, nonce: str, verifier: str, now: int
    ) -> UpstreamClaims:
        """What the provider says about the person who came back with `code`. `issuer` is the `iss` of the response. Its tokens are used
        here and kept nowhere. Raises `SignInRefused`, `ProviderUnavailable`."""
        metadata = await self.documents.metadata()
        if (problem := response_issuer_problem(metadata, issuer)) is not None:
            raise SignInRefused(problem)
        if not 0 < len(code) <= _MAX_CODE:
            raise SignInRefused("the response has no code")
        tokens = await self._tokens(metadata, code, verifier, now)
        found = await self._checked(tokens.get("id_token"), nonce, now)
        access = tokens.get("access_token")
        if found.email is None and metadata.userinfo_endpoint is not None and isinstance(access, str):
            return await self._with_userinfo(metadata.userinfo_endpoint, access, found)
        return found

    async def _tokens(self, metadata: ProviderMetadata, code: str, verifier: str, now: int) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        if self.policy.pkce:
            form["code_verifier"] = verifier
        headers = {"accept": "application/json"}
        self._authenticate(form, headers, metadata, now)
        try:
            answer = await self.http.post_for_document(metadata.token_endpoint, data=form, headers=headers)
        except CallFailed as problem:
            raise ProviderUnavailable(f"its token endpoint: {problem}") from None
        if answer.status >= 500 or answer.status == 429:
            raise ProviderUnavailable(f"its token endpoint: it answered {answer.status}")
        members = _json(answer, "the token response")
        if answer.status != 200:
            raise SignInRefused(f"the token endpoint refused the code: {_error(members)}")
        return members

    def _authenticate(
        self, form: dict[str, str], headers: dict[str, str], metadata: ProviderMetadata, now: int
    ) -> None:
        client_id, secret = self.policy.client_id, self.policy.client_secret
        if self.key is not None:
            claims = {
                "iss": client_id,
                "sub": client_id,
                "aud": metadata.issuer,
                "jti": self.random.token(16),
                "iat": now,
                "exp": now + ASSERTION_TTL,
            }
            form |= {
                "client_assertion_type": JWT_BEARER,
                "client_assertion": sign(encode(claims), self.key, typ="JWT"),
                "client_id": client_id,
            }
        elif secret is not None and self.policy.client_auth == "client_secret_basic":
            # both are form-encoded before they are joined (RFC 6749 §2.3.1)
            pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif secret is not None:
            form |= {"client_id": client_id, "client_secret": secret.reveal()}

    async def _checked(self, token: object, nonce: str, now: int) -> UpstreamClaims:
        if not isinstance(token, str):
            raise SignInRefused("the token response has no ID token")
        try:
            keys = await self.documents.keys(parse_header(split(token)[0]).kid)
            signed = verify(token, keys, algorithms=self.policy.signing_algs, types=_TYPES)
            return checked_claims(
                json_object(signed.payload),
                issuer=self.policy.issuer,
                client_id=self.policy.client_id,
                nonce=nonce if self.policy.nonce else None,
                now=now,
            )
        except (AuthError, BadIdToken, Malformed) as problem:
            raise SignInRefused(f"ID token: {problem}") from None

    async def _with_userinfo(self, url: str, access: str, found: UpstreamClaims) -> UpstreamClaims:
        headers = {"accept": "application/json", "authorization": f"Bearer {access}"}
        try:
            answer = await self.http.get(url, headers=headers)
        except CallFailed as problem:
            raise ProviderUnavailable(f"its userinfo endpoint: {problem}") from None
        if answer.status != 200:
            raise ProviderUnavailable(f"its userinfo endpoint: it answered {answer.status}")
        try:
            return with_userinfo(found, _json(answer, "the userinfo response"))
        except BadIdToken as problem:
            raise SignInRefused(str(problem)) from None


def _json(answer: GuardedAnswer, what: str) -> dict[str, Any]:
    try:
        return json_object(answer.body)
    except Malformed as problem:
        raise SignInRefused(f"{what} is {problem}") from None


def _error(members: dict[str, Any]) -> str:
    """The registered code of an error, which is safe to log; never its description."""
    code = members.get("error")
    known = isinstance(code, str) and len(code) <= 40 and code.replace("_", "").isalnum() and code.isascii()
    return str(code) if known else "without a code"
