"""A person who can sign in, and the second factors that they set up."""

from __future__ import annotations

from msgspec import Struct


class Account(Struct, frozen=True):
    """A person. `id` is the `sub` of their tokens (`usr_…`, never reused); `email` is normalised and verified.

    `password_hash` is an Argon2id PHC string (or an imported one); `role_names` say which roles they hold, each as
    `Role.held_as` has it: what they are called is read from the catalog.
    `given_name`, `family_name` and `zoneinfo` (an IANA time zone name) are there where an operator has said them: they are never
    made out of `name`. `updated_at` (seconds) is when what apps are told of the person last changed, None where that was before
    it was kept.
    """

    id: str
    email: str
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


class EnrolledFactor(Struct, frozen=True):
    """One factor that an account has set up, beside its password. What the columns hold is for the factor of that `kind` to know.

    A `totp` holds its seed sealed (`sealed`, under the row's id) and the last time step accepted (`last_step`, so that a
    code works once: RFC 6238 §5.2). A `recovery_code` holds only the SHA-256 of the code, and `used_at` once spent.
    """

    id: str
    account_id: str
    kind: str
    created_at: int
    sealed: bytes | None = None
    code_hash: bytes | None = None
    last_step: int | None = None
    used_at: int | None = None
