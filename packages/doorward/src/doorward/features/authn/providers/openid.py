"""Client of one OpenID provider: the request, the exchange of the code, and the checked ID token (OpenID Connect Core 1.0 §3.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, final

from msgspec import Struct
from msgspec.json import encode

from doorward.adapters.http_client import CallFailed, GuardedHttp
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.providers.code_flow import json_members, redeemed, request_url
from doorward.features.authn.providers.documents import ProviderDocuments
from doorward.features.authn.providers.examine import openid_findings
from doorward.features.authn.providers.provider import (
    AccountRefused,
    ProviderFindings,
    ProviderUnavailable,
    SignInRefused,
)
from doorward.features.authn.providers.rules.id_token import (
    AccountNotAllowed,
    BadIdToken,
    UpstreamClaims,
    checked_claims,
    with_userinfo,
)
from doorward.features.authn.providers.rules.logout_token import (
    TYPES,
    BadLogoutToken,
    UpstreamLogout,
    checked_logout,
)
from doorward.features.authn.providers.rules.metadata import ProviderMetadata, response_issuer_problem
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import Jws, parse_header, sign, split, verify

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TTL: Final = 60
"""Seconds for which an assertion of this server may be used."""
_TYPES: Final = frozenset({"", "jwt"})
"""An ID token has no type, or this one: an access token is refused (RFC 9068 §4)."""


@final
class OpenIdProvider(Struct, frozen=True, kw_only=True):
    """An `IdentityProvider`. `key`: for `private_key_jwt`, and for a client secret that is a signed token."""

    name: str
    policy: ProviderPolicy
    service: ProviderService
    redirect_uri: str
    documents: ProviderDocuments
    http: GuardedHttp
    clock: Clock
    random: SecureRandom
    key: SigningKey | None = None

    async def authorization_url(
        self, *, state: str, nonce: str, verifier: str, asked: Mapping[str, str]
    ) -> str:
        """As in the Protocol."""
        metadata = await self.documents.metadata()
        parameters = {
            **self.service.translated(asked),
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self.policy.scopes))),
            "state": state,
        }
        if self.policy.nonce:
            parameters["nonce"] = nonce
        if self.policy.response_mode != "query":
            parameters["response_mode"] = self.policy.response_mode
        return request_url(
            metadata.authorization_endpoint,
            policy=self.policy,
            service=self.service,
            verifier=verifier,
            asked=parameters,
        )

    async def claims(
        self, *, code: str, issuer: str | None, nonce: str, verifier: str, now: int
    ) -> UpstreamClaims:
        """As in the Protocol."""
        metadata = await self.documents.metadata()
        if (problem := response_issuer_problem(metadata, issuer)) is not None:
            raise SignInRefused(problem)
        tokens = await redeemed(
            self.http,
            metadata.token_endpoint,
            policy=self.policy,
            service=self.service,
            redirect_uri=self.redirect_uri,
            code=code,
            verifier=verifier,
            assertion=None if self.key is None else self._assertion(self.key, metadata, now),
        )
        found = await self._checked(tokens.get("id_token"), nonce, now)
        access = tokens.get("access_token")
        # what is mapped is only there at many providers
        wanted = found.email is None or bool(self.policy.roles_claim or self.policy.profile)
        asks = self.service.asks_userinfo and wanted
        if asks and metadata.userinfo_endpoint is not None and isinstance(access, str):
            return await self._with_userinfo(metadata.userinfo_endpoint, access, found)
        return found

    async def logout(self, token: str, *, now: int) -> UpstreamLogout:
        """What its logout token says has ended. Raises `SignInRefused` for one that is not this provider's, for this server and of this
        moment, `ProviderUnavailable` while its keys cannot be had (Back-Channel Logout 1.0 §2.6)."""
        try:
            signed = await self._verified(token, TYPES)
            return checked_logout(
                json_object(signed.payload), service=self.service, policy=self.policy, now=now
            )
        except (AuthError, BadLogoutToken, Malformed) as problem:
            raise SignInRefused(str(problem)) from None

    async def examine(self, now: int) -> ProviderFindings:
        """As in the Protocol: metadata and keys are fetched, as the first sign-in would."""
        try:
            metadata = await self.documents.metadata()
            keys = await self.documents.keys()
        except ProviderUnavailable as problem:
            return ProviderFindings(problem=str(problem))
        return openid_findings(
            metadata,
            sorted({key.alg for key in keys.keys}),
            policy=self.policy,
            warnings=self.service.warnings(self.policy, now),
        )

    def _assertion(self, key: SigningKey, metadata: ProviderMetadata, now: int) -> dict[str, str]:
        client_id = self.policy.client_id
        if self.service.secret_alg is not None:
            named = signing_key(key.key, kid=self.policy.key_id)
            made = sign(encode(self.service.secret_claims(self.policy, now)), named, typ="JWT")
            return {"client_id": client_id, "client_secret": made}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": metadata.issuer,
            "jti": self.random.token(16),
            "iat": now,
            "exp": now + ASSERTION_TTL,
        }
        return {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": sign(encode(claims), key, typ="JWT"),
            "client_id": client_id,
        }

    async def _checked(self, token: object, nonce: str, now: int) -> UpstreamClaims:
        if not isinstance(token, str):
            raise SignInRefused("the token response has no ID token")
        try:
            signed = await self._verified(token, _TYPES)
            claims, key_issuer = json_object(signed.payload), self.documents.key_issuer(signed.header.kid)
            found = checked_claims(
                claims,
                service=self.service,
                policy=self.policy,
                nonce=nonce if self.policy.nonce else None,
                now=now,
            )
            if key_issuer is not None:
                problem = self.service.key_refusal(key_issuer, claims, self.policy)
                if problem is not None:
                    raise BadIdToken(problem)
        except AccountNotAllowed as problem:
            raise AccountRefused(f"ID token: {problem}") from None
        except (AuthError, BadIdToken, Malformed) as problem:
            raise SignInRefused(f"ID token: {problem}") from None
        return found

    async def _verified(self, token: str, types: Collection[str]) -> Jws:
        """The token with a signature of this provider. Raises `AuthError`, `ProviderUnavailable`.

        A provider may change its key and keep its name, or have one key without a name (OpenID Connect Core §10.1): then the signature is
        what shows that the set is old.
        """
        kid, algorithms = parse_header(split(token)[0]).kid, self.policy.signing_algs
        keys = await self.documents.keys(kid)
        try:
            return verify(token, keys, algorithms=algorithms, types=types)
        except AuthError as problem:
            if problem.reason not in {"signature", "unknown_key"}:
                raise
            newer = await self.documents.keys(kid, failed=keys)
            if newer is keys:
                raise
            return verify(token, newer, algorithms=algorithms, types=types)

    async def _with_userinfo(self, url: str, access: str, found: UpstreamClaims) -> UpstreamClaims:
        headers = {"accept": "application/json", "authorization": f"Bearer {access}"}
        try:
            answer = await self.http.get(url, headers=headers)
        except CallFailed as problem:
            raise ProviderUnavailable(f"its userinfo endpoint: {problem}") from None
        if answer.status != 200:
            raise ProviderUnavailable(f"its userinfo endpoint: it answered {answer.status}")
        try:
            return with_userinfo(
                found, json_members(answer, "the userinfo response"), service=self.service, policy=self.policy
            )
        except BadIdToken as problem:
            raise SignInRefused(str(problem)) from None
