"""Who is at the other end of the wire, and what their browser or device is known by."""

from __future__ import annotations

from msgspec import Struct


class Caller(Struct, frozen=True):
    """The client address by the trusted proxies' word, the user agent in its own words, and the request's id; all only for the
    audit record, the log and throttling, never for a decision about who somebody is."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    browser_hash: bytes = b""
    """What the sign-ins under way and the mailed codes of a browser are bound to. Empty for programs, which are sent none."""
    devices: tuple[bytes, ...] = ()
    """What accounts know the device by, a hash for each of its people: their tries are counted apart from everybody else's."""
