"""Response of the token endpoint (OAuth 2.1 §3.2.3, OpenID Connect Core §3.1.3.3, RFC 8693 §2.2.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class TokenResponse(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The successful answer; its fields are the wire's. `scope` is always there (RFC 6749 §5.1 asks for it when it differs).

    `issued_token_type` is part of the answers of a token exchange, where `token_type` is `N_A` for a token that gives no access by
    itself (RFC 8693 §2.2.1).
    """

    access_token: str
    token_type: Literal["Bearer", "N_A"]
    expires_in: Annotated[int, Meta(ge=0)]
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None
    issued_token_type: str | None = None

    def __repr__(self) -> str:
        return "TokenResponse(***)"
