"""Metadata about authenticators: the operator's copy of the FIDO Metadata Service's file (MDS 3.0 §3.1). Nothing is fetched.

It is read when the first authenticator attests itself, and again when the file has changed.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import msgspec
from msgspec import Struct

from doorward.core.errors import OperatorError
from doorward.features.authn.factors.passkeys.rules.attestation import Trust, chains_to
from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED

if TYPE_CHECKING:
    from fido2.mds3 import MdsAttestationVerifier

PUBLISHER: Final = "mds.fidoalliance.org"
"""The name in the certificate that signs the file (§3.1.8)."""
_UNTRUSTED: Final = frozenset(
    {
        "REVOKED",
        "USER_VERIFICATION_BYPASS",
        "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_KEY_PHYSICAL_COMPROMISE",
    }
)
"""Statuses with which an authenticator is refused (§3.1.4)."""
_SOFTWARE: Final = "software"
"""The protection of keys without hardware (FIDO Registry of Predefined Values §3.2)."""


class BadMetadata(OperatorError):
    """The file is not the publisher's."""


def system_roots() -> list[bytes]:
    """The certificate authorities that this machine trusts."""
    return ssl.create_default_context().get_ca_certs(binary_form=True)


@final
class AuthenticatorMetadata(Struct, kw_only=True):
    """The file, and what it says about each authenticator."""

    path: str
    roots: Callable[[], Sequence[bytes]] = system_roots
    _read_at: tuple[int, int] | None = None
    _known: MdsAttestationVerifier | None = None
    _next_update: date | None = None

    async def load(self) -> None:
        """Read the file if it is new. Raises `BadMetadata` and OSError."""
        stat = await asyncio.to_thread(Path(self.path).stat)
        version = (stat.st_mtime_ns, stat.st_size)
        if version != self._read_at:
            self._known, self._next_update = await asyncio.to_thread(self._read)
            self._read_at = version

    def overdue(self, now: int) -> date | None:
        """The day by which the publisher promised a newer file (`nextUpdate`, §3.1.6), if it is past at `now` (seconds): what was found
        out since is not in this one."""
        promised = self._next_update
        if promised is None or datetime.fromtimestamp(now, UTC).date() <= promised:
            return None
        return promised

    def trust_at(self, now: int) -> Callable[[bytes, tuple[bytes, ...]], Trust]:
        """`trust` at `now`: by a file that is overdue no maker is trusted, and those that it names as broken are refused all the same."""

        def trust(aaguid: bytes, path: tuple[bytes, ...]) -> Trust:
            found = self.trust(aaguid, path)
            return found if found == "revoked" or self.overdue(now) is None else "unknown"

        return trust

    def trust(self, aaguid: bytes, path: tuple[bytes, ...]) -> Trust:
        """Whether the maker of this authenticator is known, and vouches for it with these certificates."""
        from fido2.webauthn import Aaguid

        if self._known is None:
            return "unknown"
        named = Aaguid(aaguid)
        try:
            entry = (
                self._known.find_entry_by_aaguid(named) if named else self._known.find_entry_by_chain(path)
            )
        except MALFORMED:
            return "unknown"
        if entry is None or entry.metadata_statement is None:
            return "unknown"
        if any(report.status in _UNTRUSTED for report in entry.status_reports):
            return "revoked"
        roots = tuple(bytes(root) for root in entry.metadata_statement.attestation_root_certificates)
        if not chains_to(path, roots):
            return "unknown"
        return "software" if _SOFTWARE in entry.metadata_statement.key_protection else "trusted"

    def _read(self) -> tuple[MdsAttestationVerifier, date]:
        from fido2.mds3 import MdsAttestationVerifier

        content = _verified(Path(self.path).read_bytes().strip(), self.roots())
        return MdsAttestationVerifier(content, None), content.next_update


def _verified(blob: bytes, roots: Sequence[bytes]) -> Any:
    """The content of the file, if the publisher has signed it. Raises `BadMetadata`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from fido2.attestation.base import InvalidAttestation
    from fido2.mds3 import parse_blob

    try:
        head = blob.split(b".", 1)[0]
        header: Mapping[str, Any] = msgspec.json.decode(
            base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)), type=dict[str, Any]
        )
        path = tuple(base64.b64decode(text) for text in header["x5c"])
        if not chains_to(path, tuple(roots)):
            raise BadMetadata(
                "The certificate that signs the metadata file is not issued by an authority that this machine trusts.",
                "Download the file again, and install the certificate authorities (ca-certificates).",
            )
        leaf = x509.load_der_x509_certificate(path[0])
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if PUBLISHER not in names.get_values_for_type(x509.DNSName):
            raise BadMetadata(
                f"The metadata file is signed by another publisher than {PUBLISHER}.",
                "Download the file from the FIDO Alliance.",
            )
        last = x509.load_der_x509_certificate(path[-1])
        (root, *_) = [
            root for root in roots if x509.load_der_x509_certificate(root).subject == last.issuer
        ] or [last.public_bytes(Encoding.DER)]
        return parse_blob(blob, root)
    except (msgspec.MsgspecError, InvalidAttestation, *MALFORMED) as problem:
        raise BadMetadata(
            f"The metadata file cannot be read: {problem}.", "Download the file again."
        ) from problem
