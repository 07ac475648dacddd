"""Principal of an access token: the claims of RFC 9068 §2.2 as one frozen value."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import decode


class TokenActor(Struct, frozen=True, gc=False):
    """Who acts for the subject of a token (`act`, RFC 8693 §4.1): an app or a person. `act` is the actor before this one, if the token
    went through several hands; only the outermost actor counts for access."""

    sub: Annotated[str, Meta(min_length=1)]
    act: "TokenActor | UnsetType" = UNSET

    @property
    def chain(self) -> tuple[str, ...]:
        """The `sub` of every actor, the present one first."""
        found = [self.sub]
        before = self.act
        while before is not UNSET:
            found.append(before.sub)
            before = before.act
        return tuple(found)


class Principal(Struct, frozen=True, gc=False):
    """The subject of a verified access token.

    `sub` is a person (`usr_…`) or, with client credentials, the app itself. `auth_time`, `issued_at` and `expires_at`
    are seconds since the epoch. `actor` is who acts for the subject, after a token exchange. `claims` has every claim of the token, also those without a field here.
    """

    sub: str
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: int | None = None
    sid: str | None = None
    jti: str = ""
    issued_at: int = 0
    expires_at: int = 0
    payload: bytes = b"{}"
    actor: TokenActor | None = None

    @property
    def claims(self) -> dict[str, Any]:
        """All claims of the token: a new copy at each call, because many requests share one principal."""
        return decode(self.payload)

    @property
    def grant(self) -> str | None:
        """The sign-in or consent that issued this token: the part of `jti` before the dot."""
        head, dot, _ = self.jti.partition(".")
        return head if dot else None
