"""Actor of an administrative operation: identity and rights."""

from __future__ import annotations

from typing import Final, Literal, get_args

from msgspec import Struct

Right = Literal[
    "people.read",
    "people.write",
    "credentials.read",
    "credentials.write",
    "apps.read",
    "apps.write",
    "apis.read",
    "apis.write",
    "roles.read",
    "roles.write",
    "keys.read",
    "keys.write",
    "audit.read",
    "audit.write",
]
"""`credentials` are people's passwords and second factors: an actor who can set them can sign in as another person,
which `people.write` does not allow."""
ActorKind = Literal["os_user", "server"]

ALL_RIGHTS: Final[frozenset[Right]] = frozenset(get_args(Right))


class Actor(Struct, frozen=True, kw_only=True):
    """`id` is unique among the actors of one `kind`. `as_user` is the operating-system user that an `os_user` acts as,
    if that is another one (sudo)."""

    kind: ActorKind
    id: str
    rights: frozenset[Right] = frozenset()
    as_user: str | None = None

    @property
    def name(self) -> str:
        """The name for the audit log."""
        return f"{self.kind}:{self.id}"

    def may(self, right: Right) -> bool:
        """Whether the actor has exactly this right: no right includes another."""
        return right in self.rights


SERVER: Final = Actor(kind="server", id="doorward")
"""The server's own maintenance, which is no operation and needs no right."""
