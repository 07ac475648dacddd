"""An OpenID provider of the tests, on a socket with TLS, whose answers a test can spoil.

async with upstream(tmp_path, clock) as provider:
    async with front_channel(ca_file=provider.ca_file, providers=provider.settings()) as front: ...
    back = provider.approved(url, sub="ada", email="ada@example.com", email_verified=True)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import msgspec
import trustme
from cryptography.hazmat.primitives.asymmetric import ec

from doorward.core.model.secret import Secret
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import sign, verify
from doorward_verify.keyset import key_set
from tests.manual_clock import ManualClock

CLIENT_ID = "doorward at the provider"
SECRET = "s3cret + with % signs"


def new_key(kid: str) -> SigningKey:
    """A fresh ES256 key."""
    return signing_key(ec.generate_private_key(ec.SECP256R1()), kid=kid)


@dataclass
class Upstream:
    """The provider. `spoiled` are claims that replace those of the next ID tokens (None removes one); `down` answers 503 to everything;
    `userinfo` are claims that are only there; `calls` are the paths that were asked for."""

    clock: ManualClock
    ca_file: str
    issuer: str = ""
    name: str = "example"
    keys: list[SigningKey] = field(default_factory=lambda: [new_key("k1")])
    signs_with: SigningKey | None = None
    spoiled: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata_spoiled: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    last_subject: str = ""
    calls: list[str] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    logouts: list[str] = field(default_factory=list[str])
    client_keys: list[SigningKey] = field(default_factory=list)
    _codes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def policy(self, **changes: Any) -> ProviderPolicy:
        """Its section of the settings."""
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "label": "Example",
            "client_id": CLIENT_ID,
            "client_secret": Secret(SECRET),
            "email_domains": ("*",),
        }
        return ProviderPolicy(**{**values, **changes})

    def settings(self, **changes: Any) -> ProviderPolicies:
        """All sections: this one."""
        return ProviderPolicies(by_name={self.name: self.policy(**changes)})

    def asked(self, url: str) -> dict[str, str]:
        """The parameters of an authorization request to this provider."""
        assert url.startswith(f"{self.issuer}/authorize?"), url
        return dict(parse_qsl(urlsplit(url).query))

    def approved(self, url: str, *, iss: str | None = "", **claims: Any) -> str:
        """The path and query with which the browser comes back after somebody with these claims signed in. `iss`: the parameter of the
        response, None for none."""
        request = self.asked(url)
        assert request["client_id"] == CLIENT_ID
        code = f"code {len(self._codes)}"
        self._codes[code] = {"request": request, "claims": claims}
        return self.back(request, code=code, **({} if iss is None else {"iss": iss or self.issuer}))

    def cancelled(self, url: str, error: str = "access_denied") -> str:
        """The same after they said no."""
        return self.back(self.asked(url), error=error, iss=self.issuer)

    @staticmethod
    def back(request: dict[str, str], **answer: str) -> str:
        """The path and query of a response to this request."""
        return f"{urlsplit(request['redirect_uri']).path}?{urlencode({**answer, 'state': request['state']})}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, Any]:
        """Status and document."""
        self.calls.append(path)
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return 200, self._metadata()
            case "GET", "/keys":
                return 200, {"keys": [key.public_jwk() for key in self.keys]}
            case "POST", "/token":
                return self._token(headers, dict(parse_qsl(body)))
            case "GET", "/userinfo":
                assert headers["authorization"] == "Bearer at"
                return 200, {"sub": self.last_subject, **self.userinfo}
            case _:
                return 404, {}

    def logout_token(self, *, typ: str = "logout+jwt", key: SigningKey | None = None, **claims: Any) -> str:
        """A logout token (Back-Channel Logout 1.0 §2.4); None leaves a claim out."""
        now = self.clock.time
        known = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": f"logout {len(self.logouts)}",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **claims,
        }
        said = msgspec.json.encode({name: value for name, value in known.items() if value is not None})
        self.logouts.append(sign(said, key or self.keys[0], typ=typ))
        return self.logouts[-1]

    def _metadata(self) -> dict[str, Any]:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": True,
        }
        return {
            name: value for name, value in {**known, **self.metadata_spoiled}.items() if value is not None
        }

    def _token(self, headers: dict[str, str], form: dict[str, str]) -> tuple[int, Any]:
        if not self._authenticated(headers, form):
            return 401, {"error": "invalid_client"}
        held = self._codes.pop(form.get("code", ""), None)
        if held is None:
            return 400, {"error": "invalid_grant"}
        request = held["request"]
        hashed = b64url_encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            request.get("code_challenge") not in {None, hashed}
            or form["redirect_uri"] != request["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = self.clock.time
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            **({"nonce": request["nonce"]} if "nonce" in request else {}),
            **held["claims"],
            **self.spoiled,
        }
        self.last_subject = str(claims.get("sub"))
        said = msgspec.json.encode({name: value for name, value in claims.items() if value is not None})
        token = sign(said, self.signs_with or self.keys[0], typ="JWT")
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": token, "refresh_token": "rt"}

    def _authenticated(self, headers: dict[str, str], form: dict[str, str]) -> bool:
        if "client_assertion" in form:
            keys = key_set("client", [key.public() for key in self.client_keys])
            signed = verify(form["client_assertion"], keys, algorithms=("ES256",), types={"jwt"})
            self.assertions.append(msgspec.json.decode(signed.payload))
            return True
        if "client_secret" in form:
            return (form["client_id"], form["client_secret"]) == (CLIENT_ID, SECRET)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        pair = base64.b64decode(given).decode().partition(":")
        return scheme == "Basic" and (unquote_plus(pair[0]), unquote_plus(pair[2])) == (CLIENT_ID, SECRET)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on a connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
            }
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            method, path, _ = first.split(" ")
            status, document = self.answer(method, path, headers, body)
            said = msgspec.json.encode(document)
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + said
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def upstream(folder: Path, clock: ManualClock, name: str = "example") -> AsyncGenerator[Upstream]:
    """The provider on a free port of localhost."""
    authority = trustme.CA()
    ca_file = folder / f"{name}.pem"
    authority.cert_pem.write_to_path(ca_file)
    side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(side)
    provider = Upstream(clock=clock, ca_file=str(ca_file), name=name)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=side)
    provider.issuer = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    yield provider
    server.close()
