"""The letters that Doorward writes, as values. Times are Unix seconds; `device` and `place` as on the devices page."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class VerifyAddress:
    """To somebody who signs up: `code` (digits) and `link` prove the address, either for `minutes`."""

    code: str
    link: str
    minutes: int = 10
    app: str | None = None


@dataclass(frozen=True, slots=True)
class AddressTaken:
    """To the owner of an account whose address was given at sign-up; the page said the same as always (ASVS 6.3.8)."""


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """To somebody who asked for a new password: `code` and `link`, either for `minutes`."""

    code: str
    link: str
    minutes: int = 10


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The password was changed or reset."""

    at: int
    device: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A sign-in from a browser not seen before."""

    at: int
    device: str | None = None
    place: str | None = None
    app: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshReplayed:
    """A spent refresh token of `app` came back: its sign-in may have been copied and is ended (RFC 9700 §4.14.2)."""

    at: int
    app: str


@dataclass(frozen=True, slots=True)
class SecondFactorAdded:
    """An authenticator app was added."""

    at: int
    device: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorRemoved:
    """The authenticator app was removed."""

    at: int
    device: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorReset:
    """An operator took the authenticator app and the recovery codes away, for somebody who said that the phone is lost; with
    `password_too` the password as well."""

    at: int
    password_too: bool = False


@dataclass(frozen=True, slots=True)
class RecoveryCodesMade:
    """New recovery codes were made; the old ones stopped working."""

    at: int
    device: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed:
    """A recovery code was used to sign in; `left` of them are left."""

    at: int
    left: int
    device: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorFailed:
    """Somebody has shown the password, and several wrong codes after it."""

    at: int
    device: str | None = None
    place: str | None = None


Letter = (
    VerifyAddress
    | AddressTaken
    | ResetPassword
    | PasswordChanged
    | NewDevice
    | RefreshReplayed
    | SecondFactorAdded
    | SecondFactorRemoved
    | SecondFactorReset
    | RecoveryCodesMade
    | RecoveryCodeUsed
    | SecondFactorFailed
)

LETTERS: Final = MappingProxyType(
    {
        "verify_address": VerifyAddress,
        "address_taken": AddressTaken,
        "reset_password": ResetPassword,
        "password_changed": PasswordChanged,
        "new_device": NewDevice,
        "refresh_replayed": RefreshReplayed,
        "second_factor_added": SecondFactorAdded,
        "second_factor_removed": SecondFactorRemoved,
        "second_factor_reset": SecondFactorReset,
        "recovery_codes_made": RecoveryCodesMade,
        "recovery_code_used": RecoveryCodeUsed,
        "second_factor_failed": SecondFactorFailed,
    }
)
"""Which letter a `MailKind` of the postman's port means; the port's `values` are its fields."""
