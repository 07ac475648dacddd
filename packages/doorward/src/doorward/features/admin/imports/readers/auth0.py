"""Reader of Auth0's exports: people as JSON Lines, and the file with bcrypt hashes that support hands out."""

from __future__ import annotations

from typing import Final

from doorward.adapters.hashing.foreign import ForeignHash
from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.person import ImportedIdentity, ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of

_OWN: Final = frozenset({"auth0", "email", "sms"})


def _read(fields: Fields, reading: ReadingContext) -> ImportedPerson:
    del reading
    email = email_of(fields, "email")
    called = fields.text("name")
    hashed, unknown = _password(fields)
    elsewhere = tuple(
        ImportedIdentity(provider=name, subject=_subject(one))
        for one in fields.objects("identities")
        if (name := one.text("provider") or "") not in _OWN
    )
    return ImportedPerson(
        email=email,
        verified=fields.flag("email_verified") or False,
        id=_id(fields),
        # without a name, the address stands in for it
        name=None if called == email else called,
        given_name=fields.text("given_name"),
        family_name=fields.text("family_name"),
        locale=fields.text("locale"),
        disabled=fields.flag("blocked") or False,
        created_at=fields.moment("created_at"),
        password=hashed,
        password_unknown=unknown,
        unusable_factors=fields.texts("multifactor") or (),
        identities=elsewhere,
    )


def _password(fields: Fields) -> tuple[ForeignHash | None, bool]:
    text = fields.text("passwordHash")
    if text is None and fields.holds("custom_password_hash"):
        custom = fields.object("custom_password_hash").object("hash")
        if custom.text("encoding") not in {None, "utf8"}:
            return None, True
        text = custom.text("value")
    if text is None:
        return None, False
    hashed = hashes.recognise(text)
    return hashed, hashed is None


def _subject(identity: Fields) -> str:
    """Some providers number people."""
    value = identity.value("user_id")
    return str(value) if isinstance(value, int) else identity.text("user_id") or ""


def _id(fields: Fields) -> str | None:
    """`auth0|` and the id of the database, which stands alone in the file of hashes."""
    found = fields.text("user_id")
    if found is not None or not fields.holds("_id"):
        return found
    inner = fields.value("_id")
    own = Fields({"_id": inner}).text("_id") if isinstance(inner, str) else fields.object("_id").text("$oid")
    return f"auth0|{own}" if own else None


READER: Final = ImportReader(name="auth0", read=_read)
