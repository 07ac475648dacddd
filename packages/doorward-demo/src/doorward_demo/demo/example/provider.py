"""OpenID provider with three people and no passwords: whoever opens it chooses who they are. For this machine only."""

from __future__ import annotations

import hmac
from base64 import b64decode
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct, field
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.looks import CSP, pages
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import sign

PATH: Final = "/example"
CLIENT_ID: Final = "doorward"
CLIENT_SECRET: Final = "for this machine only"
_MOST: Final = 100
_MAX_BODY: Final = 16 * 1024
_CODE_TTL: Final = 60


class ExamplePerson(Struct, frozen=True):
    """Somebody who has an account there."""

    key: str
    name: str
    email: str
    confirmed: bool
    about: str


PEOPLE: Final = (
    ExamplePerson("grace", "Grace", "grace@example.org", True, "new at Doorward: an account is created"),
    ExamplePerson(
        "alice", "Alice", "alice@example.com", True, "has an account at Doorward: sign in to it once"
    ),
    ExamplePerson(
        "mallory", "Mallory", "alice@example.com", False, "states an address that is not confirmed"
    ),
)


class _Given(Struct, frozen=True):
    """A code: who signed in, for which request, and when (seconds)."""

    person: ExamplePerson
    request: dict[str, str]
    at: float


class ExampleProvider(Struct, frozen=True, kw_only=True):
    """The endpoints. `redirect_uri` is Doorward's, the only client."""

    issuer: str
    redirect_uri: str
    key: SigningKey = field(default_factory=lambda: signing_key(ec.generate_private_key(ec.SECP256R1())))
    codes: dict[str, _Given] = field(default_factory=dict[str, _Given])

    async def metadata(self, request: Request) -> Response:
        """OpenID Connect Discovery 1.0 §4."""
        del request
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self.key.alg],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, request: Request) -> Response:
        """The public key."""
        del request
        return JSONResponse({"keys": [self.key.public_jwk()]})

    async def authorize(self, request: Request) -> Response:
        """The choice of a person. Links, and no form: a redirect after a form would be held back by the page's policy."""
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != self.redirect_uri:
            return _page("example.html", 400, people=[], cancel=None)
        people = [(one, f"{PATH}/choose?{urlencode({**asked, 'person': one.key})}") for one in PEOPLE]
        cancel = self._back(asked, error="access_denied")
        return _page("example.html", 200, people=people, cancel=cancel)

    async def choose(self, request: Request) -> Response:
        """Back to Doorward with a code for this person."""
        asked = dict(request.query_params)
        person = next((one for one in PEOPLE if one.key == asked.get("person")), None)
        if person is None or asked.get("redirect_uri") != self.redirect_uri:
            return _page("example.html", 400, people=[], cancel=None)
        while len(self.codes) >= _MOST:
            del self.codes[next(iter(self.codes))]
        code = clock_and_random.token()
        self.codes[code] = _Given(person, asked, clock_and_random.now())
        return RedirectResponse(self._back(asked, code=code), 303)

    async def token(self, request: Request) -> Response:
        """An ID token for a code, which works once."""
        body = await request.body()
        form = dict(parse_qsl(body[:_MAX_BODY].decode("utf-8", "replace")))
        if not _authenticated(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, 401)
        given = self.codes.pop(form.get("code", ""), None)
        now = clock_and_random.now()
        if given is None or now - given.at > _CODE_TTL or not _proven(given.request, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": f"example-{given.person.key}",
            "aud": CLIENT_ID,
            "iat": int(now),
            "exp": int(now) + 300,
            "auth_time": int(given.at),
            "nonce": given.request.get("nonce"),
            "name": given.person.name,
            "email": given.person.email,
            "email_verified": given.person.confirmed,
        }
        answer = {
            "token_type": "Bearer",
            "access_token": clock_and_random.token(),
            "expires_in": 300,
            "id_token": sign(encode(claims), self.key, typ="JWT"),
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _back(self, asked: dict[str, str], **answer: str) -> str:
        query = {**answer, "state": asked.get("state", ""), "iss": self.issuer}
        return f"{self.redirect_uri}?{urlencode(query)}"

    def routes(self) -> list[Route]:
        """Its routes, below `PATH`."""
        return [
            Route(f"{PATH}/.well-known/openid-configuration", self.metadata),
            Route(f"{PATH}/keys", self.keys),
            Route(f"{PATH}/authorize", self.authorize),
            Route(f"{PATH}/choose", self.choose),
            Route(f"{PATH}/token", self.token, methods=["POST"]),
        ]


def _authenticated(header: str) -> bool:
    scheme, _, given = header.partition(" ")
    try:
        name, _, secret = b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return False
    mine = f"{unquote_plus(name)}:{unquote_plus(secret)}"
    return scheme == "Basic" and hmac.compare_digest(mine.encode(), f"{CLIENT_ID}:{CLIENT_SECRET}".encode())


def _proven(asked: dict[str, str], form: dict[str, str]) -> bool:
    """PKCE (RFC 7636 §4.6), and the same redirect URI."""
    hashed = b64url_encode(sha256(form.get("code_verifier", "").encode()).digest())
    return asked.get("code_challenge") == hashed and form.get("redirect_uri") == asked.get("redirect_uri")


def _page(template: str, status: int, **values: Any) -> Response:
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(pages.get_template(template).render(**values), status, headers)
