"""Identity assertion authorization grant, ID-JAG: its names and claims (draft-ietf-oauth-identity-assertion-authz-grant §3, §4).

A company's provider says with it that an app may act for a person at an API of another server. Token exchange issues one, the JWT
bearer grant accepts one; both use this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, ValidationError, convert

TYP: Final = "oauth-id-jag+jwt"
"""The header's `typ`, without which no token is an ID-JAG (RFC 8725 §3.11)."""
TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:id-jag"
"""The `requested_token_type` and `issued_token_type` of token exchange; there the answer's `token_type` is `N_A`."""
PROFILE: Final = "urn:ietf:params:oauth:grant-profile:id-jag"
"""What a server that accepts one says in its metadata (§7.2)."""
MAX_TEXT: Final = 512

_Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
_Date = Annotated[float, Meta(ge=0, le=2.0**53)]


class BadIdJag(ValueError):
    """A claim is missing or has the wrong form. The text names it, and nothing of its value."""


class IdJag(Struct, frozen=True, kw_only=True):
    """The claims. `client_id` is the app at the server of `aud`, `sub` the person at `iss`. Times are in seconds since the epoch.

    `resource` is the one API (RFC 8707), `scope` what the app may do there, as names separated by spaces.
    """

    iss: _Text
    sub: _Text
    aud: _Text
    client_id: _Text
    jti: Annotated[str, Meta(min_length=1, max_length=256)]
    exp: _Date
    iat: _Date
    resource: Annotated[str, Meta(max_length=2000)] | None = None
    scope: Annotated[str, Meta(max_length=4000)] | None = None
    auth_time: _Date | None = None
    acr: Annotated[str, Meta(max_length=MAX_TEXT)] | None = None
    amr: Annotated[tuple[Annotated[str, Meta(max_length=MAX_TEXT)], ...], Meta(max_length=20)] | None = None


def claims(
    *,
    issuer: str,
    subject: str,
    audience: str,
    client_id: str,
    unique: str,
    now: int,
    ttl: int,
    resource: str | None = None,
    scopes: tuple[str, ...] = (),
    auth_time: int | None = None,
    acr: str | None = None,
    amr: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The payload of an ID-JAG that lives for `ttl` seconds. `unique` is at least 128 random bits; `audience` is the other server's
    issuer, and `client_id` the app's name there."""
    said: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "client_id": client_id,
        "jti": unique,
        "iat": now,
        "exp": now + ttl,
    }
    optional: dict[str, Any] = {
        "resource": resource,
        "scope": " ".join(scopes) or None,
        "auth_time": auth_time,
        "acr": acr,
        "amr": list(amr) or None,
    }
    return said | {name: value for name, value in optional.items() if value is not None}


def read(members: Mapping[str, Any]) -> IdJag:
    """The claims of a payload whose signature is checked. An `aud` or `resource` that is a list of one counts as its member; a list of
    several is refused, since another server or API could be meant. Raises `BadIdJag`."""
    given = {name: members[name] for name in IdJag.__struct_fields__ if members.get(name) is not None}
    for name in ("aud", "resource"):
        value: object = given.get(name)
        if isinstance(value, list):
            if len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
                raise BadIdJag(f"{name} is a list of several")
            given[name] = value[0]
    try:
        return convert(given, IdJag)
    except ValidationError as wrong:
        raise BadIdJag(f"a claim is missing or has another form: {wrong}") from None
