"""Reader of Supabase's table `auth.users`, as a table or as JSON, with a column `identities` for the rows of `auth.identities`."""

from __future__ import annotations

from typing import Final

from doorward.features.admin.error import refused
from doorward.features.admin.imports import hashes
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.person import ImportedIdentity, ImportedPerson
from doorward.features.admin.imports.reader import ImportReader, ReadingContext, email_of

_OWN: Final = frozenset({"email", "phone"})


def _read(fields: Fields, reading: ReadingContext) -> ImportedPerson:
    if fields.flag("is_anonymous") or fields.holds("deleted_at"):
        raise refused("import_not_a_person")
    told, kept = fields.object("raw_user_meta_data"), fields.object("raw_app_meta_data")
    confirmed = fields.moment("email_confirmed_at") or fields.moment("confirmed_at")
    text = fields.text("encrypted_password")
    hashed = hashes.recognise(text) if text else None
    elsewhere = _identities(fields)
    listed = {one.provider for one in elsewhere}
    names = [name for name in kept.texts("providers") or () if name not in _OWN | listed]
    if not names and not elsewhere and fields.flag("is_sso_user"):
        names = ["sso"]
    return ImportedPerson(
        email=email_of(fields, "email"),
        verified=confirmed is not None,
        id=fields.text("id"),
        name=told.text("full_name") or told.text("name"),
        disabled=(fields.moment("banned_until") or 0) > reading.now,
        created_at=fields.moment("created_at"),
        password=hashed,
        password_unknown=bool(text) and hashed is None,
        # without that column the subjects are not known
        identities=(*elsewhere, *(ImportedIdentity(provider=name, subject="") for name in names)),
    )


def _identities(fields: Fields) -> tuple[ImportedIdentity, ...]:
    """The rows of `auth.identities`. Their subject is `provider_id`; before that column came, `id` was it. The administration's JSON
    calls it `id` still, and the row `identity_id`."""
    found: list[ImportedIdentity] = []
    for one in fields.objects("identities"):
        name = one.text("provider") or ""
        subject = one.text("provider_id") or one.object("identity_data").text("sub") or one.text("id") or ""
        if name not in _OWN:
            found.append(ImportedIdentity(provider=name, subject=subject))
    return tuple(found)


READER: Final = ImportReader(name="supabase", read=_read)
