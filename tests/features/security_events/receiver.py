"""A receiver of security events, written from RFC 8417, RFC 8935, RFC 9493 and SSF 1.0 alone: it uses nothing of this repository's code."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Bad(Exception):
    """The token is refused."""


def decoded(part: str) -> bytes:
    """base64url without padding (RFC 7515 §2)."""
    if "=" in part:
        raise Bad("padding")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(token: str, jwks: Mapping[str, Any], *, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of a security event token, with every rule that a receiver has to check. Raises `Bad`."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Bad("not three parts")
    head = json.loads(decoded(parts[0]))
    if head.get("typ") != "secevent+jwt":  # RFC 8417 §2.3
        raise Bad("typ")
    if head.get("alg") != "RS256":  # CAEP Interoperability Profile 1.0 §2.6
        raise Bad("alg")
    keys = [one for one in jwks["keys"] if one["kid"] == head.get("kid") and one["kty"] == "RSA"]
    if len(keys) != 1:
        raise Bad("kid")
    numbers = [int.from_bytes(decoded(keys[0][member]), "big") for member in ("e", "n")]
    if numbers[1].bit_length() < 2048:
        raise Bad("a short key")
    try:
        rsa.RSAPublicNumbers(*numbers).public_key().verify(
            decoded(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature:
        raise Bad("signature") from None
    claims: dict[str, Any] = json.loads(decoded(parts[1]))
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise Bad("iss or aud")
    if "sub" in claims or "exp" in claims:  # SSF 1.0 §4.1.2, §4.1.7
        raise Bad("sub or exp")
    if not isinstance(claims.get("iat"), int) or not isinstance(claims.get("jti"), str):
        raise Bad("iat or jti")
    if not isinstance(claims.get("events"), dict) or len(claims["events"]) != 1:  # SSF 1.0 §4.1.5
        raise Bad("events")
    subject: dict[str, Any] = claims["sub_id"]
    members = {"iss_sub": {"iss", "sub"}, "email": {"email"}, "opaque": {"id"}}
    if subject["format"] == "complex":
        nested = [value for name, value in subject.items() if name != "format"]
        if not nested or any(set(one) - {"format"} != members[one["format"]] for one in nested):
            raise Bad("sub_id")
    elif set(subject) - {"format"} != members[subject["format"]]:  # RFC 9493 §3.2
        raise Bad("sub_id")
    return claims


class Receiver:
    """A push endpoint (RFC 8935) that remembers each `jti` and acts once. `answer`: what it says instead of 202."""

    def __init__(
        self, jwks: Mapping[str, Any], *, issuer: str, audience: str, authorization: str | None = None
    ) -> None:
        self.jwks = jwks
        self.issuer = issuer
        self.audience = audience
        self.authorization = authorization
        self.answer: tuple[int, dict[str, str]] | None = None
        self.requests = 0
        self.problems: list[str] = []
        self.acted: dict[str, dict[str, Any]] = {}
        self.repeated: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where events are pushed."""
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def kinds(self) -> Sequence[str]:
        """The last parts of the events' URIs, in the order in which they came."""
        return [next(iter(one["events"])).rsplit("/", 1)[1] for one in self.acted.values()]

    def take(self, token: str) -> None:
        """Act on a token once. Raises `Bad`."""
        claims = verified(token, self.jwks, issuer=self.issuer, audience=self.audience)
        if claims["jti"] in self.acted:
            assert self.acted[claims["jti"]] == claims, "the same jti says something else"
            self.repeated.append(claims["jti"])
            return
        self.acted[claims["jti"]] = claims

    def respond(self, head: str, body: bytes) -> tuple[int, dict[str, str]]:
        """The answer to a push."""
        self.requests += 1
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        if self.answer is not None:
            return self.answer
        if headers.get("authorization") != self.authorization:
            self.problems.append(f"authorization: {headers.get('authorization')}")
            return 401, {"err": "authentication_failed", "description": ""}
        if headers.get("content-type") != "application/secevent+jwt":
            self.problems.append("content-type")
            return 400, {"err": "invalid_request", "description": ""}
        try:
            self.take(body.decode("ascii"))
        except Bad as problem:
            self.problems.append(str(problem))
            return 400, {"err": "invalid_request", "description": str(problem)}
        return 202, {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = [line for line in head.lower().split("\r\n") if line.startswith("content-length")]
        body = await reader.readexactly(int(lines[0].split(":")[1]) if lines else 0)
        status, said = self.respond(head, body)
        text = json.dumps(said).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
            + text
        )
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(receiver: Receiver, port: int = 0) -> AsyncGenerator[Receiver]:
    """The receiver on a port of this machine; down again at the end."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()
    await server.wait_closed()
