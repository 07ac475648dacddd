"""Settings of passkeys: `[passkeys]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final
from uuid import UUID

from doorward.core.model.section import Section, Surroundings
from doorward.core.web_origin import web_origin
from doorward.features.authn.factors.passkeys.rules.rp_id import default_rp_id, usable_rp_id
from doorward.storage.postgres.url_words import absent

_NATIVE_APP: Final = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")


class PasskeyPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Passkeys. `rp_id`: the name that they are bound to, by default the issuer's host; `rp_id_was` names the previous one, and
    confirms that all passkeys of it become useless. `metadata`: the path of a FIDO metadata file (a BLOB), by which attestations are
    checked."""

    files: ClassVar[frozenset[str]] = frozenset({"metadata"})

    enabled: bool = True
    rp_id: str | None = None
    rp_id_was: str | None = None
    offer_silently: bool = True
    related_origins: tuple[str, ...] = ()
    metadata: str | None = None
    allowed_aaguids: tuple[str, ...] = ()

    def rp_id_for(self, issuer: str) -> str | None:
        """The relying party id; None where there are no passkeys: they are switched off, or the issuer is an address."""
        return (self.rp_id or default_rp_id(issuer)) if self.enabled else None

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What browsers and authenticators would refuse."""
        if self.rp_id is not None and not usable_rp_id(self.rp_id, around.issuer):
            yield (
                f'passkeys.rp_id is "{self.rp_id}"; it should be the host of the issuer {around.issuer}, or a part at its end that is'
                " yours, as example.com is of auth.example.com"
            )
        for origin in self.related_origins:
            https = origin.startswith("https://") and web_origin(origin) == origin
            if not https and _NATIVE_APP.fullmatch(origin) is None:
                yield (
                    f'passkeys.related_origins holds "{origin}"; it should be an origin like "https://example.org" (or '
                    '"android:apk-key-hash:…" of an app)'
                )
        for aaguid in self.allowed_aaguids:
            try:
                same = str(UUID(aaguid)) == aaguid
            except ValueError:
                same = False
            if not same:
                yield (
                    f'passkeys.allowed_aaguids holds "{aaguid}"; it should look like "ee882879-721c-4913-9775-3dfcce97072a"'
                )
        if self.metadata is not None and absent(self.metadata):
            yield f"passkeys.metadata names {self.metadata}, and there is no such file"
