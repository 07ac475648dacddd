"""An app in tests: builds authorization requests, checks the responses, redeems codes, refreshes, introspects and revokes."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import msgspec

from tests.flows.browsing import Page
from tests.waiting import PATIENCE, until


@dataclass(frozen=True)
class Attempt:
    """One authorization request, and what the app stores to check and redeem the response."""

    url: str
    verifier: str
    state: str
    nonce: str
    redirect_uri: str


@dataclass
class Tokens:
    """A successful token response."""

    body: dict[str, Any]
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)

    @property
    def access(self) -> str:
        """The access token."""
        return self.body["access_token"]

    @property
    def refresh(self) -> str:
        """The refresh token."""
        return self.body["refresh_token"]

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the access token, unverified."""
        return payload(self.access)

    @property
    def identity(self) -> dict[str, Any]:
        """The claims of the ID token, unverified."""
        return payload(self.body["id_token"])


def payload(token: str) -> dict[str, Any]:
    """The claims of a JWS, unverified."""
    return _part(token, 1)


def header(token: str) -> dict[str, Any]:
    """The header of a JWS."""
    return _part(token, 0)


def _part(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def pkce() -> tuple[str, str]:
    """A verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(
        b"="
    ).decode()


class App:
    """One registered app. `base` is where its requests go: in the tests of two processes, the other process's port."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        secret: str | None,
        redirect_uri: str = "",
        *,
        base: str | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.issuer = issuer
        self.base = base or issuer
        self.client_id = client_id
        self.secret = secret
        self.redirect_uri = redirect_uri
        self.http = httpx2.Client(
            verify=verify if verify is not None else issuer.startswith("https:"),
            trust_env=False,
            follow_redirects=False,
            timeout=PATIENCE,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    @property
    def authorization(self) -> dict[str, str]:
        """The header that authenticates the app; a public app has none."""
        if self.secret is None:
            return {}
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def begin(self, scope: str = "openid", **params: str) -> Attempt:
        """An authorization request with PKCE, state and nonce; `params` are added (an empty value removes one)."""
        verifier, challenge = pkce()
        state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **params,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return Attempt(f"{self.issuer}/authorize?{query}", verifier, state, nonce, asked["redirect_uri"])

    def code(self, attempt: Attempt, page: Page) -> str:
        """The code of the response, after the checks of an app: the right address, state (CSRF) and iss (RFC 9207)."""
        assert page.outside, f"{page.url} {page.status}: {page.words[:600]}"
        assert page.url.startswith(attempt.redirect_uri), page.url
        answer = page.query
        assert "error" not in answer, answer
        assert answer["state"] == attempt.state
        assert answer["iss"] == self.issuer
        return answer["code"]

    def error(self, attempt: Attempt, page: Page) -> str:
        """The error of the response, after the same checks."""
        assert page.outside, f"{page.url} {page.status}: {page.words[:600]}"
        answer = page.query
        assert answer["state"] == attempt.state
        assert answer["iss"] == self.issuer
        assert "code" not in answer
        return answer["error"]

    def token(self, **fields: str) -> httpx2.Response:
        """One call of the token endpoint."""
        return self.post("/token", **fields)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Post a form to an endpoint for apps, with the app's authentication."""
        if self.secret is None:
            fields.setdefault("client_id", self.client_id)
        return self.http.post(self.base + path, data=fields, headers=self.authorization)

    def redeem(self, attempt: Attempt, page: Page) -> Tokens:
        """Tokens for the code of the response; checks nonce and audience of the ID token."""
        tokens = good(self.redemption(attempt, self.code(attempt, page)))
        if "id_token" in tokens.body:
            identity = tokens.identity
            assert identity["nonce"] == attempt.nonce
            assert identity["aud"] == self.client_id
            assert identity["iss"] == self.issuer
        return tokens

    def redemption(self, attempt: Attempt, code: str) -> httpx2.Response:
        """The request that redeems a code."""
        return self.token(
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
            redirect_uri=attempt.redirect_uri,
        )

    def refresh(self, token: str, **fields: str) -> httpx2.Response:
        """The request that refreshes."""
        return self.token(grant_type="refresh_token", refresh_token=token, **fields)

    def introspect(self, token: str) -> dict[str, Any]:
        """The introspection response."""
        answer = self.post("/introspect", token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def userinfo(self, access_token: str) -> httpx2.Response:
        """The claims about the token's person."""
        return self.http.get(f"{self.base}/userinfo", headers={"authorization": f"Bearer {access_token}"})


def good(answer: httpx2.Response) -> Tokens:
    """The tokens of a response that must be successful."""
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return Tokens(answer.json(), answer.headers)


def healed(ask: Callable[[], httpx2.Response]) -> Tokens:
    """The tokens of an app that retries after a 503, as any app must: a busy machine may send one at any time."""
    answers: list[httpx2.Response] = []

    def answered() -> bool:
        answers[:] = [ask()]
        return answers[0].status_code != 503

    until(answered, lambda: answers[0].text, look=0.3)
    return good(answers[0])


def refused(answer: httpx2.Response, error: str = "invalid_grant", status: int = 400) -> None:
    """Assert that the response is this refusal."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.json()["error"] == error, answer.text
