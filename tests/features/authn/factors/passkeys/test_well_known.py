"""Well-known documents about passkeys."""

from __future__ import annotations

import pytest

from doorward.features.authn.factors.passkeys.well_known import routes
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
ISSUER = "https://example.com/auth"
ORIGIN = "https://example.com"


def asgi(*related: str) -> Asgi:
    made = routes(
        issuer=ISSUER,
        enroll="/account/methods/passkeys",
        manage="/account/methods",
        origins=(ORIGIN, *related),
    )
    return Asgi(made, prefix="/auth")


async def test_password_managers_find_where_passkeys_are_added_and_managed() -> None:
    answer = await asgi()("GET", "/.well-known/passkey-endpoints")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "enroll": f"{ISSUER}/account/methods/passkeys",
        "manage": f"{ISSUER}/account/methods",
    }


async def test_related_origins_are_listed_where_there_are_any() -> None:
    assert (await asgi()("GET", "/.well-known/webauthn")).status == 404
    answer = await asgi("https://shop.example", "android:apk-key-hash:abc")("GET", "/.well-known/webauthn")
    assert answer.json == {"origins": [ORIGIN, "https://shop.example"]}
