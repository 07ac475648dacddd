"""Configuration as one immutable snapshot in memory: apps, APIs, roles and public signing keys."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct, field, structs

from doorward.core.model.account import Account
from doorward.core.model.client import Client, SigningAlgorithm


class Permission(Struct, frozen=True):
    """One permission of an API; `name` is the scope value, `description` is shown on the consent page."""

    name: str
    description: str = ""


TokenType = Literal["at+jwt", "JWT"]
OpenTo = Literal["none", "documents", "registration"]
RSA_BITS: Final = 2048
"""The size of the RSA keys that this server makes."""


class Api(Struct, frozen=True):
    """A protected resource. `identifier` is its `resource` and `aud` (an absolute URI, RFC 8707 §2).

    `client_id` names the app that the API authenticates as for introspection, if it uses that. `signing_alg` and
    `token_type` apply to the API's access tokens; the default is ES256 and `typ` `at+jwt` (RFC 9068 §2.1); `JWT` is for
    verifiers that refuse that type.

    `open_to`: which apps may ask for `open_permissions` although no operator gave them access: none; those with a client-ID metadata
    document; or these and those that registered themselves. Roles limit what a person can give them, as with every app.
    """

    id: str
    identifier: str
    name: str
    permissions: tuple[Permission, ...]
    created_at: int
    client_id: str | None = None
    signing_alg: SigningAlgorithm | None = None
    token_type: TokenType = "at+jwt"
    open_to: OpenTo = "none"
    open_permissions: tuple[str, ...] = ()


class Role(Struct, frozen=True):
    """A named set of permissions: API identifier -> permission names. A `default` role is assigned to every new
    account.

    `key` is what accounts store: the role's id, which is never reused, so that a holder of a deleted role does not get
    the next one of that name. Empty for a role made before ids were stored; accounts then store its name.
    `second_factor`: its holders need one.
    """

    id: str
    name: str
    permissions: dict[str, tuple[str, ...]]
    created_at: int
    default: bool = False
    key: str = ""
    second_factor: bool = False

    @property
    def held_as(self) -> str:
        """The value in `Account.role_names` of accounts with this role."""
        return self.key or self.name


# retired: rotated out, and the last token that it signed has expired; revoked: removed by command, at once
KeyState = Literal["next", "current", "previous", "retired", "revoked"]


class StoredSigningKey(Struct, frozen=True):
    """One signing key as stored: the public JWK in clear, the private one sealed under the row's id.

    `token_life` is the longest life in seconds of any access token that it may have signed. It only grows, so that a
    shorter life set later does not end a key, or a revocation, before the tokens issued earlier.
    """

    id: str
    alg: SigningAlgorithm
    state: KeyState
    public_jwk: dict[str, Any]
    sealed: bytes
    created_at: int
    activated_at: int | None = None
    retired_at: int | None = None
    token_life: int = 0


class ConfigSnapshot(Struct, frozen=True):
    """The snapshot. `version` grows with every change that a command or another process makes. `event_kinds` are the kinds of security
    events that any stream asks for."""

    version: int
    clients: dict[str, Client] = field(default_factory=dict)
    apis: dict[str, Api] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    keys: tuple[StoredSigningKey, ...] = ()
    event_kinds: frozenset[str] = frozenset()
    roles_held: dict[str, Role] = field(default_factory=dict)
    """The roles by `held_as`; derived from `roles`."""

    def __post_init__(self) -> None:
        structs.force_setattr(self, "roles_held", {role.held_as: role for role in self.roles.values()})

    def held(self, account: Account) -> tuple[Role, ...]:
        """The roles of an account, without deleted ones."""
        return tuple(role for held in account.role_names if (role := self.roles_held.get(held)) is not None)
