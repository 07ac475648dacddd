"""Reader of our own format: JSON Lines or a table, one person a line."""

from __future__ import annotations

from typing import Any, Final, cast

from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields, invalid
from doorward.features.admin.imports.person import ImportedIdentity, ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of
from doorward.features.admin.imports.totp_seeds import ImportedSeed, otpauth, seed, usual

FIELDS: Final = (
    "email",
    "email_verified",
    "id",
    "name",
    "given_name",
    "family_name",
    "zoneinfo",
    "locale",
    "disabled",
    "created_at",
    "roles",
    "password",
    "totp",
    "external_identities",
)


def _read(fields: Fields, reading: ReadingContext) -> ImportedPerson:
    del reading
    fields.only(FIELDS)
    password = fields.value("password")
    hashed = None
    if isinstance(password, dict):
        hashed = hashes.described(cast("dict[str, Any]", password))
    elif password is not None:
        hashed = hashes.recognise(fields.text("password") or "")
    factors, unusable = _authenticators(fields)
    return ImportedPerson(
        email=email_of(fields, "email"),
        verified=fields.flag("email_verified") or False,
        id=fields.text("id"),
        name=fields.text("name"),
        given_name=fields.text("given_name"),
        family_name=fields.text("family_name"),
        zoneinfo=fields.text("zoneinfo"),
        locale=fields.text("locale"),
        disabled=fields.flag("disabled") or False,
        created_at=fields.moment("created_at"),
        roles=fields.texts("roles"),
        password=hashed,
        password_unknown=password is not None and hashed is None,
        factors=factors,
        unusable_factors=unusable,
        identities=_identities(fields),
    )


def _identities(fields: Fields) -> tuple[ImportedIdentity, ...]:
    found: list[ImportedIdentity] = []
    for one in fields.objects("external_identities"):
        one.only(("issuer", "subject"))
        issuer, subject = one.text("issuer"), one.text("subject")
        if issuer is None or subject is None:
            raise invalid("external_identities", "a list of objects with issuer and subject")
        found.append(ImportedIdentity(issuer=issuer, subject=subject))
    return tuple(found)


def _authenticators(fields: Fields) -> tuple[tuple[ImportedSeed, ...], tuple[str, ...]]:
    value = fields.value("totp")
    given: list[Any] = (
        [] if value is None else cast("list[Any]", value) if isinstance(value, list) else [value]
    )
    seeds: list[ImportedSeed] = []
    unusable: list[str] = []
    for one in given:
        found = _seed(one)
        if found is None:
            unusable.append("totp")
        else:
            seeds.append(ImportedSeed(seed=found))
    return tuple(seeds), tuple(unusable)


def _seed(given: object) -> bytes | None:
    if isinstance(given, str):
        return otpauth(given)
    if not isinstance(given, dict):
        raise invalid("totp", "a key URI or an object")
    members = Fields(cast("dict[str, Any]", given))
    members.only(("secret", "algorithm", "digits", "period"))
    found = seed(members.text("secret") or "")
    return found if usual(*(members.value(name) for name in ("algorithm", "digits", "period"))) else None


READER: Final = ImportReader(name="doorward", read=_read)
