"""Client of one service that speaks OAuth 2.0 alone: the request, the exchange of the code, and the person's document (RFC 6749 §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.adapters.http_client import CallFailed, GuardedHttp
from doorward.features.authn.providers.code_flow import redeemed, request_url
from doorward.features.authn.providers.examine import address_warning
from doorward.features.authn.providers.provider import ProviderFindings, ProviderUnavailable, SignInRefused
from doorward.features.authn.providers.rules.id_token import BadIdToken, UpstreamClaims, person
from doorward.features.authn.providers.services.oauth2 import OAuth2Service
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.encoding import Malformed, json_object

_MAX_TOKEN: Final = 4096


@final
class OAuth2Provider(Struct, frozen=True, kw_only=True):
    """An `IdentityProvider`. Whoever signed in is whoever the access token belongs to: the code was redeemed with this server's secret, so
    that a token for another app is never taken for one (token substitution)."""

    name: str
    policy: ProviderPolicy
    service: OAuth2Service
    redirect_uri: str
    http: GuardedHttp

    async def authorization_url(
        self, *, state: str, nonce: str, verifier: str, asked: Mapping[str, str]
    ) -> str:
        """As in the Protocol. The service has no way to say when somebody signed in, to have them sign in anew, or to return a nonce."""
        del nonce
        parameters = {**self.service.translated(asked), "redirect_uri": self.redirect_uri, "state": state}
        if self.policy.scopes:
            parameters["scope"] = " ".join(self.policy.scopes)
        return request_url(
            self.policy.authorization_endpoint,
            policy=self.policy,
            service=self.service,
            verifier=verifier,
            asked=parameters,
        )

    async def claims(
        self, *, code: str, issuer: str | None, nonce: str, verifier: str, now: int
    ) -> UpstreamClaims:
        """As in the Protocol. A response that names another issuer is refused before its code is sent anywhere (RFC 9207 §2.4)."""
        del nonce, now
        if issuer is not None and issuer != self.policy.issuer:
            raise SignInRefused("the response names another issuer")
        tokens = await redeemed(
            self.http,
            self.policy.token_endpoint,
            policy=self.policy,
            service=self.service,
            redirect_uri=self.redirect_uri,
            code=code,
            verifier=verifier,
        )
        access, kind = tokens.get("access_token"), tokens.get("token_type")
        if not isinstance(access, str) or not _token(access):
            raise SignInRefused("the token response has no access token")
        if kind is not None and (not isinstance(kind, str) or kind.lower() != "bearer"):
            raise SignInRefused("the access token is no bearer token (RFC 6750)")
        said: dict[str, Any] = {}
        for name, url in self.service.documents(self.policy, access).items():
            if name:
                said[name] = await self._fetched(url, access, optional=True)
            else:
                said |= _members(await self._fetched(url, access))
        found = self.service.issuer(said, self.policy)
        if found is None:
            raise SignInRefused("the person is of another issuer")
        try:
            return person(said, issuer=found, service=self.service, policy=self.policy)
        except BadIdToken as problem:
            raise SignInRefused(str(problem)) from None

    async def examine(self, now: int) -> ProviderFindings:
        """As in the Protocol: each host of its endpoints is called without a token, and has to answer."""
        policy = self.policy
        asked: dict[str, str] = {}
        for url in (policy.authorization_endpoint, policy.token_endpoint, policy.userinfo_endpoint):
            asked.setdefault(urlsplit(url).netloc, url)
        for url in asked.values():
            try:
                status = await self.http.status(url)
            except CallFailed as problem:
                return ProviderFindings(problem=f"its endpoint {url}: {problem}")
            if status >= 500:
                return ProviderFindings(problem=f"its endpoint {url}: it answered {status}")
        return ProviderFindings(
            issuer=policy.issuer,
            authorization_endpoint=policy.authorization_endpoint,
            warnings=(*self.service.warnings(policy, now), *address_warning(policy)),
        )

    async def _fetched(self, url: str, access: str, *, optional: bool = False) -> object:
        headers = {"accept": "application/json", "authorization": f"Bearer {access}"}
        try:
            answer = await self.http.get(url, headers=headers)
        except CallFailed as problem:
            raise ProviderUnavailable(f"its document of the person: {problem}") from None
        if answer.status >= 500 or answer.status == 429:
            raise ProviderUnavailable(f"its document of the person: it answered {answer.status}")
        if optional and answer.status in {403, 404}:
            # the app may not read it: the person is known, and what it would have said is not
            return None
        if answer.status != 200:
            raise SignInRefused(f"its document of the person: it answered {answer.status}")
        try:
            # a list is a document too; the strict parser takes objects
            return json_object(b'{"document":' + answer.body + b"}")["document"]
        except (Malformed, KeyError):
            raise SignInRefused("its document of the person is not JSON") from None


def _token(text: str) -> bool:
    """Whether it can stand in a header (RFC 6750 §2.1)."""
    return 0 < len(text) <= _MAX_TOKEN and text.isascii() and all("!" <= one <= "~" for one in text)


def _members(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("error") is not None:  # pyright: ignore[reportUnknownMemberType]
        raise SignInRefused("its document of the person is no object")
    return document  # pyright: ignore[reportUnknownVariableType]
