"""Client of a request: address, user agent, and known browser or device."""

from __future__ import annotations

from msgspec import Struct


class Caller(Struct, frozen=True):
    """The client address as reported by trusted proxies, the user agent as sent, and the request's id. Only for the
    audit log, the log and throttling, never for authentication."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    browser_hash: bytes = b""
    """Sign-ins in progress and mailed codes are bound to this browser. Empty for programs, which get neither."""
    devices: tuple[bytes, ...] = ()
    """The device's known-device hashes, one for each account: attempts from it are counted separately from all others.
    """
    trusted: tuple[str, ...] = ()
    """The values of remembered devices: an id and a secret each. They replace a second step where policy allows it."""
