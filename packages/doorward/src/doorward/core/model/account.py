"""Account of a person who can sign in, and the second factors."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

_SECONDS: Final = 40
"""Bits of `password_state` that hold a time in seconds."""


class Account(Struct, frozen=True):
    """`id` is the `sub` of the tokens (`usr_…`, or another system's that was kept; never reused); `email` is normalised and verified,
    None for somebody from a provider or directory that gave no address: they get no mail and cannot reset a password.

    `password_hash` is an Argon2id PHC string (or an imported one). `role_names` are the assigned roles, each as
    `Role.held_as`; their display names come from the configuration snapshot. `given_name`, `family_name` and `zoneinfo` (an IANA time
    zone name) are set only by an operator: they are never derived from `name`. `updated_at` (seconds) is the last
    change of the claims that apps receive, None if that was before it was recorded. `password_version` grows with every
    password, so that two of one second differ; the programs before it leave it as it is.
    """

    id: str
    email: str | None
    created_at: int
    name: str | None = None
    locale: str | None = None
    password_hash: str | None = None
    password_changed_at: int | None = None
    disabled_at: int | None = None
    role_names: tuple[str, ...] = ()
    given_name: str | None = None
    family_name: str | None = None
    zoneinfo: str | None = None
    updated_at: int | None = None
    password_version: int = 0

    @property
    def password_state(self) -> int:
        """Which of the account's passwords this is: what rests on a password stores it, and ends when it differs. It is stored, so it
        never changes. For the first password it is the time at which that was set, as the programs before the version had it."""
        return (self.password_version << _SECONDS) + (self.password_changed_at or 0)

    def with_password(self, password_hash: str | None, at: int | None) -> Account:
        """The account with another password, set at `at` (seconds), or without one. The only way to replace a password."""
        return structs.replace(
            self,
            password_hash=password_hash,
            password_changed_at=at,
            password_version=self.password_version + 1,
        )

    def without_hash(self) -> Account:
        """The same without the hash of the password, for what stays in memory."""
        return self if self.password_hash is None else structs.replace(self, password_hash=None)

    @property
    def shown_as(self) -> str:
        """What their own pages and their apps' consent call them: the address, else the name, else the id. Names are not unique."""
        return self.email or self.name or self.id

    @property
    def known_as(self) -> str:
        """What finds them again in a command: the address, else the id."""
        return self.email or self.id


class EnrolledFactor(Struct, frozen=True):
    """One factor of an account beside its password. The factor of that `kind` interprets the columns.

    A `totp` holds its sealed seed (`sealed`, under the row's id) and the last accepted time step (`last_step`, so that
    a code works once: RFC 6238 §5.2). A `recovery_code` holds only the SHA-256 of the code, and `used_at` once used.
    """

    id: str
    account_id: str
    kind: str
    created_at: int
    sealed: bytes | None = None
    code_hash: bytes | None = None
    last_step: int | None = None
    used_at: int | None = None
