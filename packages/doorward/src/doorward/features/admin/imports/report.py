"""Choices of an import, and its report: counts, and one entry for each line that was refused or that says something."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from doorward.core.model.problem import Problem

Unverified = Literal["refuse", "without_password", "vouch"]


class ImportChoices(Struct, frozen=True, kw_only=True):
    """`unverified`: what becomes of people whose address was never proven; who else registered it may know the password. `update`: fill
    what is empty in accounts that exist. None of them sets a password on such an account. `address`: whether somebody without an address
    becomes an account if they have one elsewhere; `required` leaves that to the settings of the provider."""

    dry_run: bool = False
    update: bool = False
    create_roles: bool = False
    ignore_roles: bool = False
    keep_ids: bool = False
    allow_weak: bool = False
    unverified: Unverified | None = None
    drop_factors: bool = False
    drop_identities: bool = False
    issuers: dict[str, str] = {}
    """The issuers of providers, or the names of their sections in the settings, by the other system's name for them."""
    address: Literal["required", "optional"] = "required"

    def stored(self) -> dict[str, Any]:
        """What the mark of an import says. A choice that earlier programs did not have is left out unless it is made, so that an import which
        one of them began goes on."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found if self.address == "optional" else {k: v for k, v in found.items() if k != "address"}

    @property
    def named(self) -> list[str]:
        """Those that are made, for the audit log."""
        said = [name for name in self.__struct_fields__ if getattr(self, name) is True]
        issuers = [f"identity={name}={issuer}" for name, issuer in sorted(self.issuers.items())]
        said += ["address=optional"] if self.address == "optional" else []
        return [*said, *([f"unverified={self.unverified}"] if self.unverified else []), *issuers]


class ImportCounts(Struct, kw_only=True):
    """How many records there were, and what became of them. `weak`: imported hashes that a stolen copy would soon give away."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: int = 0
    refused: int = 0
    without_password: int = 0
    weak: int = 0
    authenticators: int = 0
    identities: int = 0


class ImportEntry(Struct, frozen=True):
    """A line of the report: where the record begins, and the how-manieth it is. `email` is the address as far as it is known; `refused`: nothing of the record was taken over."""

    line: int
    number: int
    email: str
    refused: bool
    problem: Problem


class ImportReport(Struct, frozen=True, kw_only=True):
    """`resumed_after`: how many records an interrupted import of the same file had done; the counts are those of both, the
    entries those of this one."""

    sha256: str
    dry_run: bool
    resumed_after: int
    counts: ImportCounts
    entries: tuple[ImportEntry, ...]
    roles_created: tuple[str, ...]
