"""Reader of Firebase's export (`firebase auth:export users.json`). Its hashes need the parameters of the project."""

from __future__ import annotations

from typing import Final

from doorward.adapters.hashing.foreign import ForeignHash
from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.person import ImportedIdentity, ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of

_OWN: Final = frozenset({"password", "phone", "firebase"})


def _read(fields: Fields, reading: ReadingContext) -> ImportedPerson:
    elsewhere = tuple(
        ImportedIdentity(provider=name, subject=one.text("rawId") or "")
        for one in fields.objects("providerUserInfo")
        if (name := one.text("providerId") or "") not in _OWN
    )
    factors = ("sms" if one.holds("phoneInfo") else "totp" for one in fields.objects("mfaInfo"))
    return ImportedPerson(
        email=email_of(fields, "email"),
        verified=fields.flag("emailVerified") or False,
        id=fields.text("localId"),
        name=fields.text("displayName"),
        disabled=fields.flag("disabled") or False,
        created_at=fields.moment("createdAt", unit=1000),
        password=_password(fields, reading),
        unusable_factors=tuple(factors),
        identities=elsewhere,
    )


def _password(fields: Fields, reading: ReadingContext) -> ForeignHash | None:
    value, salt = fields.text("passwordHash"), fields.text("salt")
    if value is None:
        return None
    try:
        if reading.hash_config is None:
            raise ValueError
        return reading.hash_config.hashed(
            salt=hashes.from_base64(salt or ""), value=hashes.from_base64(value)
        )
    except ValueError:
        raise hashes.damaged("Firebase scrypt") from None


READER: Final = ImportReader(name="firebase", read=_read, needs_hash_config=True)
