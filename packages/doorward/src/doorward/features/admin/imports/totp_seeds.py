"""Seeds of authenticator apps in records of an import."""

from __future__ import annotations

import binascii
from base64 import b32decode
from urllib.parse import parse_qs, urlsplit

from doorward.core.model.account import EnrolledFactor
from doorward.core.ports.keys import Sealer
from doorward.features.admin.error import refused
from doorward.features.admin.imports.person import ImportedFactor
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.factors.totp.factor import SEED_PURPOSE

_LEAST_SEED, _MOST_SEED = 10, 128


class ImportedSeed(ImportedFactor, frozen=True, kw_only=True):
    """The seed of an app with the parameters that ours have."""

    seed: bytes

    def row(self, factor_id: str, account_id: str, sealer: Sealer, now: int) -> EnrolledFactor:
        """As if the person had set the app up here."""
        sealed = sealer.seal(SEED_PURPOSE, factor_id, self.seed)
        return EnrolledFactor(factor_id, account_id, totp.TRAITS.kind, now, sealed=sealed)


def seed(text: str) -> bytes:
    """The seed of an authenticator app from Base32 (RFC 4648 §6), with or without padding and spaces. Raises `AdminError`."""
    plain = "".join(text.split()).replace("-", "").rstrip("=").upper()
    try:
        found = b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        raise refused("import_totp_invalid") from None
    return bounded(found)


def bounded(found: bytes) -> bytes:
    """The same seed if it has 80 to 1024 bits. Raises `AdminError`."""
    if not _LEAST_SEED <= len(found) <= _MOST_SEED:
        raise refused("import_totp_invalid")
    return found


def usual(algorithm: object, digits: object, period: object) -> bool:
    """Whether an authenticator app has the parameters that ours have: SHA-1, 6 digits, 30 seconds; None stands for these."""
    named = str(algorithm or "SHA1").upper().replace("-", "").removeprefix("HMAC")
    numbers = (str(digits or totp.DIGITS), str(period or totp.PERIOD))
    return named == "SHA1" and numbers == (str(totp.DIGITS), str(totp.PERIOD))


def otpauth(uri: str) -> bytes | None:
    """The seed of a key URI; None when it is of another kind or has other parameters than ours. Raises `AdminError`."""
    try:
        parts = urlsplit(uri)
        asked = {name.lower(): values for name, values in parse_qs(parts.query).items()}
    except ValueError:
        raise refused("import_totp_invalid") from None
    if parts.scheme.lower() != "otpauth" or len(asked.get("secret", ())) != 1:
        raise refused("import_totp_invalid")
    found = seed(asked["secret"][0])
    algorithm, digits, period = (asked.get(name, [None])[0] for name in ("algorithm", "digits", "period"))
    return found if parts.netloc.lower() == "totp" and usual(algorithm, digits, period) else None
