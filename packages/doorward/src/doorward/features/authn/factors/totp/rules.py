"""Codes of authenticator apps: computing, matching and key URI (RFC 6238 §4, §5.2; RFC 4226 §5.3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote

from doorward.features.authn.flow.rules.assurance import FactorTraits

TRAITS: Final = FactorTraits(kind="totp", amr=("otp",), counts_for=frozenset({"held"}), always_asked=True)
PERIOD: Final = 30
DIGITS: Final = 6
SEED_BYTES: Final = 20
WINDOW: Final = 1
"""Tolerance for a phone's clock, in periods either way, unless the settings say none."""


def code_at(seed: bytes, step: int) -> str:
    """The 6 digits of a time step (RFC 4226 §5.3, HMAC-SHA-1, which every authenticator app supports)."""
    mac = hmac.new(seed, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def match(seed: bytes, code: str, *, now: int, last_step: int | None, window: int = WINDOW) -> int | None:
    """The time step of the code, or None. `window`: how many periods it may be off, either way.

    A step that is not later than `last_step` never matches, so a code is accepted once (RFC 6238 §5.2). All steps of the window are
    computed and compared in constant time.
    """
    current = now // PERIOD
    given = code.encode("utf-8", "replace")
    found: int | None = None
    for step in range(max(0, current - window), current + window + 1):
        same = hmac.compare_digest(code_at(seed, step).encode(), given)
        if same and (last_step is None or step > last_step) and found is None:
            found = step
    return found


def looks_like(text: str) -> bool:
    """Whether the text is a code from an app rather than a recovery code. `text` as returned by `identify.text.code`."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def key_text(seed: bytes) -> str:
    """The seed in Base32, for manual entry in an app."""
    return base64.b32encode(seed).decode("ascii").rstrip("=")


def key_uri(seed: bytes, *, account: str, issuer: str) -> str:
    """The otpauth:// URI for the QR code (key URI format). `issuer` is the name of the brand."""
    # A colon separates issuer and account in the label, so neither may contain one.
    label = quote(issuer.replace(":", " "), safe="") + ":" + quote(account.replace(":", " "), safe="@")
    return (
        f"otpauth://totp/{label}?secret={key_text(seed)}&issuer={quote(issuer.replace(':', ' '), safe='')}"
        f"&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )
