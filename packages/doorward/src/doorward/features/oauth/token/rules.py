"""Response of the token endpoint (OAuth 2.1 §3.2.3, OpenID Connect Core §3.1.3.3)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class TokenResponse(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The successful answer; its fields are the wire's. `scope` is always there (RFC 6749 §5.1 asks for it when it differs)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Meta(ge=0)]
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return "TokenResponse(***)"
