"""Cookies: their names, and the only way in which they are set (RFC 6265bis §4.1.3, line 69)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

CookieKind = Literal["browser", "session", "device", "locale", "at", "rt"]
PREFIX = "__Host-"


class CookieJar(Struct, frozen=True):
    """Names and attributes for one deployment. `secure` is False only for an http issuer on loopback (development), where
    some browsers refuse Secure cookies; the names then lack `__Host-`, so that the two worlds never mix."""

    secure: bool

    def name(self, kind: CookieKind) -> str:
        """The cookie's name; `__Host-` makes browsers refuse one set by a sibling domain (cookie tossing)."""
        return f"{PREFIX}dw_{kind}" if self.secure else f"dw_{kind}"

    def set(self, kind: CookieKind, value: str, max_age: int | None) -> str:
        """A Set-Cookie value; `max_age` in seconds, None for a cookie that ends with the browser."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        tail = "; Secure" if self.secure else ""
        return f"{self.name(kind)}={value}; Path=/; HttpOnly; SameSite=Lax{age}{tail}"

    def clear(self, kind: CookieKind) -> str:
        """A Set-Cookie value that removes the cookie."""
        return self.set(kind, "", 0)
