"""Reader of Keycloak's exports: a realm with its people, or the files `…-users-N.json`. Credentials are JSON inside JSON."""

from __future__ import annotations

from typing import Any, Final

from doorward.adapters.hashing.foreign import ForeignHash
from doorward.features.admin.error import refused
from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.person import ImportedIdentity, ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of, whole_name
from doorward.features.admin.imports.totp_seeds import ImportedSeed, bounded, seed, usual

_OWN_ROLES: Final = frozenset({"offline_access", "uma_authorization"})
_VERSIONS: Final = {"1.3": 19, "1.0": 16}
_ALGORITHMS: Final = {
    "pbkdf2": "pbkdf2-sha1",
    "pbkdf2-sha256": "pbkdf2-sha256",
    "pbkdf2-sha512": "pbkdf2-sha512",
}


def _read(fields: Fields, reading: ReadingContext) -> ImportedPerson:
    del reading
    if fields.holds("serviceAccountClientId"):
        raise refused("import_not_a_person")
    attributes = fields.object("attributes")
    given, family = fields.text("firstName"), fields.text("lastName")
    roles = tuple(
        role
        for role in fields.texts("realmRoles") or ()
        if role not in _OWN_ROLES and not role.startswith("default-roles-")
    )
    hashed, unknown = _password(fields)
    factors, unusable = _factors(fields)
    return ImportedPerson(
        email=email_of(fields, "email"),
        verified=fields.flag("emailVerified") or False,
        id=fields.text("id"),
        name=whole_name(given, family),
        given_name=given,
        family_name=family,
        zoneinfo=next(iter(attributes.texts("zoneinfo") or ()), None),
        locale=next(iter(attributes.texts("locale") or ()), None),
        disabled=fields.flag("enabled") is False,
        created_at=fields.moment("createdTimestamp", unit=1000),
        roles=roles or None,
        password=hashed,
        password_unknown=unknown,
        factors=factors,
        unusable_factors=unusable,
        identities=tuple(
            ImportedIdentity(provider=one.text("identityProvider") or "", subject=one.text("userId") or "")
            for one in fields.objects("federatedIdentities")
        ),
    )


def _password(fields: Fields) -> tuple[ForeignHash | None, bool]:
    found = [one for one in fields.objects("credentials") if one.text("type") == "password"]
    if not found:
        return None, False
    credential = found[0]
    # before version 8 the members stood in the credential itself
    older = credential.holds("hashedSaltedValue")
    data, secret = (
        (credential, credential)
        if older
        else (credential.object("credentialData"), credential.object("secretData"))
    )
    algorithm = data.text("algorithm") or ""
    described: dict[str, Any] = {
        "hash_base64": secret.value("hashedSaltedValue" if older else "value"),
        "salt_base64": secret.value("salt"),
        "iterations": data.value("hashIterations"),
    }
    if algorithm in _ALGORITHMS:
        described["kind"] = _ALGORITHMS[algorithm]
    elif algorithm == "argon2":
        described |= _argon2(data.object("additionalParameters"))
    else:
        return None, True
    hashed = hashes.described(described)
    return hashed, hashed is None


def _argon2(parameters: Fields) -> dict[str, Any]:
    """Every parameter is a list of one text."""
    first = {
        name: next(iter(parameters.texts(name) or ()), "")
        for name in ("type", "version", "memory", "parallelism")
    }
    if not all(first[name].isascii() and first[name].isdigit() for name in ("memory", "parallelism")):
        raise hashes.damaged("argon2")
    return {
        "kind": f"argon2{first['type']}",
        "version": _VERSIONS.get(first["version"], 19),
        "memory_kib": int(first["memory"][:12]),
        "lanes": int(first["parallelism"][:12]),
    }


def _factors(fields: Fields) -> tuple[tuple[ImportedSeed, ...], tuple[str, ...]]:
    seeds: list[ImportedSeed] = []
    unusable: list[str] = []
    for credential in fields.objects("credentials"):
        kind = credential.text("type") or ""
        if kind in {"password", "password-history"}:
            continue
        data, secret = credential.object("credentialData"), credential.object("secretData")
        parameters = (data.value(name) for name in ("algorithm", "digits", "period"))
        if kind == "otp" and data.text("subType") == "totp" and usual(*parameters):
            text = secret.text("value") or ""
            # without an encoding the text itself is the seed, and apps show its Base32
            base32 = data.text("secretEncoding") == "BASE32"
            seeds.append(ImportedSeed(seed=seed(text) if base32 else bounded(text.encode())))
        elif kind != "recovery-authn-codes":
            unusable.append(kind[:40])
    return tuple(seeds), tuple(unusable)


READER: Final = ImportReader(name="keycloak", read=_read)
