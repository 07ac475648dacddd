"""Rules of remembered devices: the form of their values, which of their secrets counts, and what a row is good for (R84, R85)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.device import describe
from doorward.core.model.remembered_device import RememberedDevice

LEEWAY: Final = 60
"""Seconds for which a replaced secret still counts: two tabs send the same one, and an answer can be lost."""

MOST_SHOWN: Final = 6
"""Values that are read of one request: one for each account on a shared device."""

Secret = Literal["current", "previous", "spent"]
_VALUE: Final = re.compile(r"(dev_[0-9a-f]{32})~([A-Za-z0-9_-]{43})")


class Value(Struct, frozen=True):
    """One value as the device holds it: which device it is, and its secret."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """The form in cookies and JSON."""
        return f"{self.id}~{self.secret}"


def read(given: Sequence[str]) -> tuple[Value, ...]:
    """The values of a request. Anything else is ignored."""
    found = [_VALUE.fullmatch(text) for text in given[:MOST_SHOWN]]
    return tuple(Value(match[1], match[2]) for match in found if match is not None)


def joined(values: Sequence[Value]) -> str:
    """The text that the device holds; the newest value comes first, and the oldest ones go."""
    return ".".join(value.text for value in values[:MOST_SHOWN])


def secret_of(device: RememberedDevice, shown: bytes, now: int) -> Secret:
    """What the secret with the digest `shown` is to the device. Whatever was never its secret counts as `spent`: it came after the right
    password, from somebody who has seen a value of this device, and has altered it."""
    if hmac.compare_digest(shown, device.secret_hash):
        return "current"
    before = device.previous_hash
    if before is not None and hmac.compare_digest(shown, before) and now - device.rotated_at <= LEEWAY:
        return "previous"
    return "spent"


def alike(device: RememberedDevice, user_agent: str) -> bool:
    """Whether the request comes from the same kind of browser on the same system. An update of either changes nothing."""
    return describe(device.user_agent) == describe(user_agent)


def mark(account: Account, rows: Sequence[EnrolledFactor], besides: Collection[str]) -> str:
    """A digest of all that ends trust when it changes: the password, and the second factors but those with the ids `besides`. It is
    stored, so it never changes."""
    factors = sorted(f"{row.id} {row.kind}" for row in rows if row.id not in besides)
    text = "\n".join([str(account.password_state), *factors])
    return hashlib.sha256(text.encode()).hexdigest()
