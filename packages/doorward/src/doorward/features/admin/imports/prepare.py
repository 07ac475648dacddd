"""Checks of one person of an import, without the database: the normal form of every member, and what the choices say."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.adapters.hashing.foreign import ForeignHash
from doorward.adapters.hashing.imported import LONGEST, to_stored
from doorward.core import text
from doorward.core.login_name import new_email
from doorward.core.model.problem import Problem, problem
from doorward.features.admin.error import refused
from doorward.features.admin.imports.fields import invalid
from doorward.features.admin.imports.person import ImportedFactor, ImportedPerson
from doorward.features.admin.imports.report import ImportChoices
from doorward.features.admin.people import profile_member
from doorward.features.authn.providers.connecting import MOST as MOST_IDENTITIES

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:|~-]{0,127}")
# ids of ours begin with a short prefix: a person must never have the id of an app, which is a subject too (RFC 9700 §4.15)
_OURS: Final = re.compile(r"[a-z]{2,5}_.*")
_PERSON: Final = re.compile(r"usr_[0-9a-f]{32}")
# OpenID Connect Core §2: a subject has at most 255 ASCII characters
_SUBJECT: Final = re.compile(r"[!-~]{1,255}")
_ISSUER: Final = re.compile(r"https?://[!-~]{1,247}")
_AHEAD: Final = 300
"""Seconds by which the other system's clock may be ahead."""
_MOST_ROLES: Final = 50
SHOWN: Final = 100


class PreparedPerson(Struct, frozen=True, kw_only=True):
    """A person who may become an account. `email`: None for somebody who has an account elsewhere and no address. `notes` say what was left out. `roles` are names; None stands for the default ones."""

    line: int
    number: int
    email: str | None
    id: str | None
    profile: dict[str, str | None]
    disabled: bool
    created_at: int | None
    roles: tuple[str, ...] | None
    password_hash: str | None
    weak: bool
    factors: tuple[ImportedFactor, ...]
    identities: tuple[tuple[str, str], ...]
    """Issuer and subject of accounts elsewhere."""
    notes: tuple[Problem, ...]

    @property
    def called(self) -> str:
        """What a message calls them: the address, else the first account elsewhere."""
        return self.email or " ".join(self.identities[0])[:SHOWN]


def prepared(
    person: ImportedPerson,
    choices: ImportChoices,
    *,
    line: int,
    number: int,
    now: int,
    beyond_ascii: bool,
    without_address: Collection[str] = (),
) -> PreparedPerson:
    """The person in the form of an account. `without_address`: the issuers whose people may have none. Raises `AdminError` with the reason
    of a refusal."""
    email = new_email(person.email) if person.email else None
    if email is None and person.email:
        raise refused("email_invalid", email=person.email[:SHOWN])
    if email is not None and not beyond_ascii and not email.isascii():
        raise refused("email_not_ascii", email=email)
    if person.created_at is not None and person.created_at > now + _AHEAD:
        raise invalid("created_at", "a time in the past")
    if len(person.roles or ()) > _MOST_ROLES:
        raise refused("import_roles_too_many", limit=_MOST_ROLES)
    identities = _identities(person, choices)
    hashed, notes = person.password, list[Problem]()
    if email is None:
        _check_without_address(identities, choices, without_address)
        # nothing is typed before a password but an address
        notes = [problem("import_password_unusable")] if hashed is not None else []
        person = structs.replace(person, verified=True, password=None, password_unknown=False)
        hashed = None
    if hashed is not None:
        _check(hashed, allow_weak=choices.allow_weak)
    elif person.password_unknown:
        notes.append(problem("import_hash_unknown"))
    factors = person.factors
    if not person.verified and choices.unverified != "vouch":
        if choices.unverified == "refuse":
            raise refused("import_unverified")
        # Whoever registered the address may not own it, and would go on with the password that they set there.
        if hashed is not None or factors or person.unusable_factors or identities:
            notes = [problem("import_password_withheld")]
        hashed, factors, identities = None, (), ()
    elif person.unusable_factors and not choices.drop_factors:
        raise refused("import_factor", factor=", ".join(sorted(set(person.unusable_factors)))[:SHOWN])
    stored = None if hashed is None else to_stored(hashed)
    if stored is not None and len(stored) > LONGEST:
        raise refused("import_hash_damaged", kind=hashed.kind if hashed else "")
    return PreparedPerson(
        line=line,
        number=number,
        email=email,
        id=_id(person.id) if choices.keep_ids else None,
        profile=_profile(person),
        disabled=person.disabled,
        created_at=None if person.created_at is None else min(person.created_at, now),
        roles=None if choices.ignore_roles else person.roles,
        password_hash=stored,
        weak=hashed is not None and hashed.weak(),
        factors=factors,
        identities=identities,
        notes=tuple(notes),
    )


def _check_without_address(
    identities: Sequence[tuple[str, str]], choices: ImportChoices, without_address: Collection[str]
) -> None:
    if choices.address != "optional" and not any(issuer in without_address for issuer, _ in identities):
        raise refused("import_email_missing")
    if not identities:
        raise refused("import_no_way_in")


def _check(hashed: ForeignHash, *, allow_weak: bool) -> None:
    fault = hashed.fault()
    if fault == "costly":
        raise refused("import_hash_costly", kind=hashed.kind)
    if fault is not None:
        raise refused("import_hash_damaged", kind=hashed.kind)
    if hashed.weak() and not allow_weak:
        raise refused("import_hash_weak", kind=hashed.kind)


def _identities(person: ImportedPerson, choices: ImportChoices) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for one in person.identities:
        issuer = one.issuer or choices.issuers.get(one.provider)
        if issuer is None or not one.subject:
            if choices.drop_identities:
                continue
            if not one.subject:
                raise refused("import_subject_missing", provider=one.provider[:SHOWN])
            raise refused("import_identities", provider=one.provider[:SHOWN])
        if not _ISSUER.fullmatch(issuer) or not _SUBJECT.fullmatch(one.subject):
            raise refused("import_identity_invalid")
        found.append((issuer, one.subject))
    if len(found) > MOST_IDENTITIES:
        raise refused("import_identities_too_many", limit=MOST_IDENTITIES)
    return tuple(dict.fromkeys(found))


def _id(given: str | None) -> str:
    if given is None:
        raise refused("import_id_missing")
    if not _ID.fullmatch(given) or (_OURS.fullmatch(given) and not _PERSON.fullmatch(given)):
        raise refused("import_id_invalid", id=given[:SHOWN])
    return given


def _profile(person: ImportedPerson) -> dict[str, str | None]:
    said = {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "zoneinfo": person.zoneinfo,
    }
    profile = {key: profile_member(key, value) if value else None for key, value in said.items()}
    spoken = text.locale(person.locale) if person.locale else None
    if person.locale and spoken is None:
        raise refused("locale_invalid", locale=person.locale[:SHOWN])
    return {**profile, "locale": spoken}
