"""One person of an import, as a reader hands them over: parsed, not yet compared with the accounts that exist."""

from __future__ import annotations

from abc import abstractmethod

from msgspec import Struct

from doorward.adapters.hashing.foreign import ForeignHash
from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import EnrolledFactor
from doorward.core.ports.keys import Sealer


class ImportedIdentity(Struct, frozen=True, kw_only=True):
    """An account elsewhere that the person signed in with. Either `issuer` is known, or the other system's own name for the `provider`."""

    subject: str
    issuer: str | None = None
    provider: str = ""


class ImportedFactor(AbstractStruct, frozen=True, kw_only=True):
    """A second factor of the person that can be taken over. Each kind is a subclass in a file of its own, which readers use."""

    @abstractmethod
    def row(self, factor_id: str, account_id: str, sealer: Sealer, now: int) -> EnrolledFactor:
        """Its row, with its secrets sealed for this id."""


class ImportedPerson(Struct, frozen=True, kw_only=True):
    """`email`: "" for none. `verified`: the other system had proven the address. `roles` None: the default ones. `factors` are second factors; `unusable_factors` names
    those that cannot be taken over. `password_unknown`: there is a hash of an unknown kind. `id` is the other system's."""

    email: str
    verified: bool = False
    id: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    disabled: bool = False
    created_at: int | None = None
    roles: tuple[str, ...] | None = None
    password: ForeignHash | None = None
    password_unknown: bool = False
    factors: tuple[ImportedFactor, ...] = ()
    unusable_factors: tuple[str, ...] = ()
    identities: tuple[ImportedIdentity, ...] = ()
