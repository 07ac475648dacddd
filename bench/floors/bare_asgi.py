"""Minimal token endpoint that only reads the form, checks the secret and signs.

A plain ASGI handler on uvicorn: no database, policy or audit. Doorward cannot be faster than this.
"""

import base64
import hashlib
import hmac
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Message = MutableMapping[str, Any]
_KEY = ec.generate_private_key(ec.SECP256R1())
_ECDSA = ec.ECDSA(hashes.SHA256())
_SECRET = hashlib.sha256(b"secret").digest()
_ISSUER = "http://127.0.0.1"
_encode = msgspec.json.Encoder().encode


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


_HEADER = _b64(_encode({"alg": "ES256", "kid": "bench-es256", "typ": "at+jwt"}))


def _token(client_id: str, scope: str) -> str:
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "sub": client_id,
        "aud": "https://orders.example.com",
        "client_id": client_id,
        "iat": now,
        "exp": now + 600,
        "jti": f"grt_{uuid.uuid4().hex}.{uuid.uuid4().hex}",
        "scope": scope,
        "roles": [],
        "permissions": scope.split(" "),
    }
    signed = _HEADER + b"." + _b64(_encode(claims))
    r, s = decode_dss_signature(_KEY.sign(signed, _ECDSA))
    return (signed + b"." + _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """POST of a form with Basic credentials: 200 and a signed token, or 401."""
    if scope["type"] != "http":
        return
    message = await receive()
    form = dict(parse_qsl(message["body"].decode()))
    authorization = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
    client_id, _, secret = base64.b64decode(authorization[6:]).partition(b":")
    good = hmac.compare_digest(hashlib.sha256(secret).digest(), _SECRET)
    asked = form.get("scope", "")
    answer = {"error": "invalid_client"}
    if good:
        answer = {
            "access_token": _token(client_id.decode(), asked),
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": asked,
        }
    body = _encode(answer)
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200 if good else 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="off",
        server_header=False,
    )
