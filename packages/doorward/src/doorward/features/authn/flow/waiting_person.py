"""Waiting person: somebody whom a provider or a directory vouches for, while their sign-in waits for an address that they prove."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Self

import msgspec
from msgspec import Struct

from doorward.core.errors import OAuthError

REQUIRED = "An email address is needed first. Send the person to the sign-in page."


class WaitingPerson(Struct, frozen=True, kw_only=True):
    """Everything with which the account is made, and the sign-in goes on. It is stored while the person proves an address.

    `by` and `source`: the kind and the name of the section that vouches; `label`: what people call it. `kind` and `mark`: those of the row
    in `factors`. `issuer`, `subject`, `shown`, `typed_as`: those of the identity. `stated`: the address that it stated, "" for none.
    `profile`: members of the account; `mapped`: those of them that a mapping gave. `roles`: the names of the mapped roles. `proof`, `amr`,
    `at` (seconds): the proof. `sid`: the session there. `account_id`, `factor_id`: those of an account that has no address yet, "" where
    there is none.
    """

    by: Literal["provider", "directory"]
    source: str
    label: str
    kind: str
    mark: bytes
    issuer: str
    subject: str
    shown: str = ""
    typed_as: str | None = None
    stated: str = ""
    profile: Mapping[str, str] = {}
    mapped: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    proof: str
    amr: tuple[str, ...]
    at: int
    sid: str | None = None
    account_id: str = ""
    factor_id: str = ""

    @classmethod
    def stored(cls, payload: Mapping[str, Any]) -> Self:
        """The person of a stored challenge."""
        return msgspec.convert(payload["waiting"], cls)

    @property
    def waits_as(self) -> str:
        """What the row of who waits has in place of an account's id, and loses with what it was made for (R94)."""
        return self.account_id or waits_as(self.issuer, self.subject)

    def payload(self) -> dict[str, Any]:
        """What the challenge stores."""
        return {"waiting": msgspec.to_builtins(self)}


def waits_as(issuer: str, subject: str) -> str:
    """The same for somebody who has no account yet."""
    # an issuer has no space in it
    return f"arr_{hashlib.sha256(f'{subject} {issuer}'.encode()).hexdigest()[:32]}"


class AddressRequired(OAuthError, frozen=True):
    """The password was right, and the account needs an address first. Apps that sign people in by JSON hear that this needs a browser;
    the page goes on with `person`."""

    person: WaitingPerson | None = None

    @classmethod
    def of(cls, person: WaitingPerson) -> Self:
        """The refusal for this person."""
        return cls("redirect_to_web", REQUIRED, "an address is required first", person=person)
