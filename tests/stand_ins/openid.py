"""Strict OpenID provider of the tests: what Google's, Apple's and Microsoft's have in common. Each of them states its own parameters."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Protocol
from urllib.parse import unquote_plus, urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import sign
from tests.stand_ins.serving import Called, Replied

CODE_TTL = 300


class Clock(Protocol):
    """Seconds."""

    @property
    def time(self) -> int: ...


class RefusedAtTheService(AssertionError):
    """The service shows an error page to the person instead of sending them back."""


@dataclass(frozen=True)
class Returned:
    """How the browser comes back: `method` GET or POST, to `url`, with these fields."""

    method: str
    url: str
    fields: dict[str, str]

    @property
    def target(self) -> str:
        """Path and query, as of a GET."""
        path = urlsplit(self.url).path
        return path if self.method == "POST" else f"{path}?{urlencode(self.fields)}"


@dataclass
class _Issued:
    request: dict[str, str]
    claims: dict[str, Any]
    at: int


@cache
def rsa_key(kid: str) -> SigningKey:
    """An RS256 key: one for each name, since making one takes long, and clients keep them for a day."""
    return signing_key(rsa.generate_private_key(65537, 2048), kid=kid)


@dataclass
class OpenIdStandIn:
    """`hosted`: it is called by its real host names, by a client that nobody here wrote. `spoiled` replaces claims of the next ID tokens, and
    None removes one. `refused` has what it refused at its token endpoint."""

    required: ClassVar[frozenset[str]]
    """Parameters without which there is an error page."""
    documented: ClassVar[frozenset[str]]
    """All others that its documentation has."""
    prompts: ClassVar[frozenset[str]] = frozenset()
    token_fields: ClassVar[frozenset[str]] = frozenset(
        {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"}
    )
    basic: ClassVar[bool] = True
    refuses_unknown_clients_with: ClassVar[int] = 401

    clock: Clock
    client_id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()
    origin: str = ""
    hosted: bool = False
    key: SigningKey = field(default_factory=lambda: rsa_key("k1"))
    spoiled: dict[str, Any] = field(default_factory=dict[str, Any])
    refused: list[str] = field(default_factory=list[str])
    calls: list[str] = field(default_factory=list[str])
    _codes: dict[str, _Issued] = field(default_factory=dict[str, _Issued])
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def issuer(self) -> str:
        """Its issuer."""
        raise NotImplementedError

    def at(self, host: str) -> str:
        """The origin of one of its hosts; on this machine all are one."""
        return f"https://{host}" if self.hosted else self.origin

    def check(self, asked: dict[str, str]) -> None:
        """What else it refuses on its own page."""

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        """The claims of an ID token, besides those of every provider."""
        raise NotImplementedError

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        """The response to this request."""
        return Returned("GET", asked["redirect_uri"], {**answer, "state": asked["state"]})

    def asked(self, url: str) -> dict[str, str]:
        """The parameters of an authorization request, checked. Raises `RefusedAtTheService`."""
        parts = urlsplit(url)
        if not self.is_authorization(f"{parts.scheme}://{parts.netloc}{parts.path}"):
            raise RefusedAtTheService(f"404 {parts.path}")
        return self.checked([(unquote_plus(n), unquote_plus(v)) for n, v in _pairs(parts.query)])

    def is_authorization(self, url: str) -> bool:
        """Whether it is the authorization endpoint."""
        raise NotImplementedError

    def checked(self, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
        """The parameters, each once, documented, and complete."""
        asked = dict(pairs)
        if len(asked) != len(pairs):
            raise RefusedAtTheService("invalid_request: a parameter twice")
        if unknown := set(asked) - self.required - self.documented:
            raise RefusedAtTheService(f"invalid_request: not documented: {sorted(unknown)}")
        if missing := {name for name in self.required if not asked.get(name)}:
            raise RefusedAtTheService(f"invalid_request: missing: {sorted(missing)}")
        if asked["client_id"] != self.client_id:
            raise RefusedAtTheService("invalid_client")
        if asked["redirect_uri"] not in self.redirect_uris:
            raise RefusedAtTheService(f"redirect_uri_mismatch: {asked['redirect_uri']}")
        if not set(asked.get("prompt", "").split()) <= self.prompts:
            raise RefusedAtTheService(f"invalid_request: prompt={asked['prompt']}")
        if "code_challenge" in asked and (
            len(asked["code_challenge"]) != 43 or asked.get("code_challenge_method") != "S256"
        ):
            raise RefusedAtTheService("invalid_request: code_challenge")
        self.check(asked)
        return asked

    def approved(self, url: str, **person: Any) -> Returned:
        """The way back after this person signed in there."""
        asked = self.asked(url)
        return self.back(asked, self.granted(asked, person))

    def granted(self, asked: dict[str, str], person: dict[str, Any]) -> dict[str, str]:
        """The members of a successful response."""
        code = f"4/{next(self._numbers)}.{hashlib.sha256(repr(asked).encode()).hexdigest()}"
        self._codes[code] = _Issued(asked, self.claims(person, asked), self.clock.time)
        return {"code": code}

    def failed(self, url: str, error: str, **more: str) -> Returned:
        """The way back with an error."""
        return self.back(self.asked(url), {"error": error, **more})

    def answer(self, called: Called) -> Replied:
        """The response to a request of a program."""
        self.calls.append(called.path)
        return self.routed(called)

    def routed(self, called: Called) -> Replied:
        """By its paths."""
        raise NotImplementedError

    def token(self, called: Called) -> Replied:
        """RFC 6749 §4.1.3, with every parameter checked."""
        reply = self._token(called)
        if reply.status != 200:
            self.refused.append(str(reply.document.get("error")))
        return reply

    def _token(self, called: Called) -> Replied:
        form, kind = dict(called.form), called.headers.get("content-type", "").partition(";")[0]
        if kind != "application/x-www-form-urlencoded" or len(form) != len(called.form) or called.query:
            return self.error("invalid_request")
        if set(form) - self.token_fields or not {"grant_type", "code", "redirect_uri"} <= set(form):
            return self.error("invalid_request")
        if form["grant_type"] != "authorization_code":
            return self.error("unsupported_grant_type")
        if not self._authenticated(called, form):
            return self.error("invalid_client", self.refuses_unknown_clients_with)
        held = self._codes.pop(form["code"], None)
        if held is None or self.clock.time - held.at > CODE_TTL:
            return self.error("invalid_grant")
        if form["redirect_uri"] != held.request["redirect_uri"]:
            return self.error(self.wrong_redirect)
        hashed = b64url_encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if held.request.get("code_challenge", hashed) != hashed:
            return self.error("invalid_grant")
        return Replied(200, self.tokens(held.request, held.claims), {"Cache-Control": "no-store"})

    wrong_redirect: ClassVar[str] = "invalid_grant"

    def error(self, code: str, status: int = 400) -> Replied:
        """An error of the token endpoint."""
        return Replied(status, {"error": code, "error_description": "details"})

    def good_secret(self, given: str) -> bool:
        """Whether it is the client's."""
        return given == self.secret

    def _authenticated(self, called: Called, form: dict[str, str]) -> bool:
        scheme, _, given = called.headers.get("authorization", "").partition(" ")
        if scheme == "Basic" and self.basic and "client_secret" not in form:
            name, _, secret = base64.b64decode(given).decode().partition(":")
            return unquote_plus(name) == self.client_id and self.good_secret(unquote_plus(secret))
        return (
            not scheme
            and form.get("client_id") == self.client_id
            and self.good_secret(form.get("client_secret", ""))
        )

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """The token response."""
        now, access = self.clock.time, "ya29.access"
        left = hashlib.sha256(access.encode()).digest()[:16]
        said = {
            "aud": self.client_id,
            "iat": now,
            "exp": now + 3600,
            "at_hash": b64url_encode(left),
            **({"nonce": request["nonce"]} if "nonce" in request else {}),
            **claims,
            **self.spoiled,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 3599,
            "id_token": sign(msgspec.json.encode(said), self.key, typ="JWT"),
        }


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (one.partition("=") for one in query.split("&") if one)]
