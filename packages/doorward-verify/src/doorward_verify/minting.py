"""Test tokens for an API's own tests, with any test runner: really signed, no network, a frozen clock."""

import secrets
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.json import encode

from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import sign
from doorward_verify.keyset import key_set
from doorward_verify.resource_server import ResourceServer
from doorward_verify.revocation import Entry, Feed, RevocationView

LIFETIME = 300


class FrozenClock:
    """A clock that moves only by `tick`. Seconds since the epoch."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> float:
        return float(self.now)

    def tick(self, seconds: int) -> None:
        """Move the clock forward, or back with a negative number."""
        self.now += seconds


class TokenMint:
    """Mints access tokens that the pinned `ResourceServer` accepts, and each kind that it must refuse."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        key: SigningKey,
        clock: FrozenClock,
        view: RevocationView,
        api_keys: dict[str, str] | None = None,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.key = key
        self.clock = clock
        self._view = view
        self._api_keys = {} if api_keys is None else api_keys

    def claims(
        self, *, sub: str = "usr_test", client_id: str = "app_test", scopes: Iterable[str] = (), **others: Any
    ) -> dict[str, Any]:
        """The claims of a good token. `others` adds or replaces claims; None removes one."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": sub,
            "aud": self.audience,
            "client_id": client_id,
            "iat": self.clock.now,
            "exp": self.clock.now + LIFETIME,
            "jti": f"grt_test.{secrets.token_urlsafe(12)}",
            "scope": " ".join(scopes),
            "roles": [],
            "permissions": [],
            "auth_time": self.clock.now,
            "acr": "aal1",
            "amr": ["pwd"],
            "sid": "ses_test",
        }
        claims.update(others)
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, *, sub: str = "usr_test", client_id: str = "app_test", scopes: Iterable[str] = (), **others: Any
    ) -> str:
        """A good access token: `tokens.token(scopes=["orders:read"], roles=["clerk"])`."""
        return self.of(self.claims(sub=sub, client_id=client_id, scopes=scopes, **others))

    def api_key(
        self, *, sub: str = "usr_test", client_id: str = "key_test", scopes: Iterable[str] = (), **others: Any
    ) -> str:
        """An API key that stands for a good token, for a `ResourceServer` with `api_keys`. `revoke(grant="key_test")` ends it."""
        nobody_signed_in: dict[str, Any] = dict.fromkeys(("auth_time", "acr", "amr", "sid"))
        claims = {"jti": f"key_test.{secrets.token_urlsafe(12)}", **nobody_signed_in, **others}
        key = f"dwk_{secrets.token_hex(16)}_{secrets.token_hex(24)}0"
        self._api_keys[key] = self.of(self.claims(sub=sub, client_id=client_id, scopes=scopes, **claims))
        return key

    def of(self, claims: dict[str, Any], *, typ: str = "at+jwt") -> str:
        """A signed token with exactly these claims."""
        return sign(encode(claims), self.key, typ=typ)

    def expired(self, **others: Any) -> str:
        """A token that expired an hour ago."""
        return self.token(iat=self.clock.now - 3600, exp=self.clock.now - 3600 + LIFETIME, **others)

    def not_yet_valid(self, **others: Any) -> str:
        """A token that is valid only in an hour."""
        return self.token(nbf=self.clock.now + 3600, exp=self.clock.now + 7200, **others)

    def wrong_audience(self, **others: Any) -> str:
        """A token for another API."""
        return self.token(**{"aud": "https://other-api.invalid", **others})

    def wrong_issuer(self, **others: Any) -> str:
        """A token of another issuer, signed with the correct key."""
        return self.token(**{"iss": "https://other-issuer.invalid", **others})

    def wrong_key(self, **others: Any) -> str:
        """A token signed with a wrong key under the correct `kid`."""
        stranger = signing_key(ec.generate_private_key(ec.SECP256R1()), kid=self.key.kid)
        return sign(encode(self.claims(**others)), stranger, typ="at+jwt")

    def unknown_key(self, **others: Any) -> str:
        """A token signed with a key that the issuer does not list."""
        stranger = signing_key(ec.generate_private_key(ec.SECP256R1()))
        return sign(encode(self.claims(**others)), stranger, typ="at+jwt")

    def unsigned(self, **others: Any) -> str:
        """A token with `alg: none`."""
        return f"{b64url_encode(encode({'alg': 'none', 'typ': 'at+jwt'}))}.{b64url_encode(encode(self.claims(**others)))}."

    def id_token(self, **others: Any) -> str:
        """An ID token, which is no access token."""
        return self.of(self.claims(**{"aud": "app_test", "nonce": "n", **others}), typ="JWT")

    def revoke(self, **what: str) -> None:
        """Revoke by one of jti, grant, sid, sub or client: `tokens.revoke(sid="ses_test")`."""
        entries = [Entry(kind, id_, self.clock.now + 3600, self.clock.now) for kind, id_ in what.items()]  # type: ignore[arg-type]
        self._view.apply(Feed(cursor="test", reset=False, entries=entries), self.clock.now)


@contextmanager
def minting(auth: ResourceServer, *, now: int | None = None) -> Generator[TokenMint]:
    """Pin a `ResourceServer` to a test key and a frozen clock, without pytest. `now` is in seconds since the epoch."""
    key = signing_key(ec.generate_private_key(ec.SECP256R1()))
    clock = FrozenClock(int(time.time()) if now is None else now)
    api_keys: dict[str, str] = {}
    with auth.pinned(key_set(auth.issuer, [key.public()]), clock=clock, api_keys=api_keys) as view:
        yield TokenMint(auth.issuer, auth.audience, key, clock, view, api_keys)
