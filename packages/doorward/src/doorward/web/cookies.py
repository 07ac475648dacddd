"""Cookies: their names and attributes (RFC 6265bis §4.1.3, R69)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from doorward_verify.cookie import issuer_mark

CookieKind = Literal["browser", "session", "device", "trust", "used", "locale", "asked", "at", "rt"]
HOST = "__Host-"
SECURE = "__Secure-"


class CookieJar(Struct, frozen=True):
    """Names and attributes for one issuer. `secure` is False only for an http issuer on loopback (development), where some browsers
    refuse Secure cookies; the names then lack their prefix, so that the two cases never mix.

    `mark` is part of every name: browsers separate cookies neither by port nor (for `__Host-`) by path, so two issuers on one host
    would overwrite each other's cookies. `path` is the issuer's. The names of the previous release had no mark: they are still read
    if the new ones are missing, and replaced by the next response.
    """

    secure: bool
    mark: str
    path: str = ""

    @classmethod
    def of(cls, issuer: str) -> CookieJar:
        """The cookies of this issuer."""
        parts = urlsplit(issuer)
        return cls(parts.scheme == "https", issuer_mark(issuer), parts.path.rstrip("/"))

    def name(self, kind: CookieKind) -> str:
        """The cookie's name. `__Host-` makes browsers refuse one set by a sibling domain (cookie tossing). The refresh cookie has a
        path, so it can only be `__Secure-`, and is valid only together with the `__Host-` cookie set with it."""
        prefix = (SECURE if kind == "rt" else HOST) if self.secure else ""
        return f"{prefix}dw_{self.mark}_{kind}"

    def old_name(self, kind: CookieKind) -> str:
        """Its name in the previous release."""
        return f"{HOST}dw_{kind}" if self.secure else f"dw_{kind}"

    def read(self, cookies: Mapping[str, str], kind: CookieKind) -> str | None:
        """The cookie's value, under its name or else under the old one."""
        found = cookies.get(self.name(kind))
        return found if found is not None else cookies.get(self.old_name(kind))

    def aged(self, cookies: Mapping[str, str], kind: CookieKind) -> bool:
        """Whether the cookie came only under its old name."""
        return self.name(kind) not in cookies and self.old_name(kind) in cookies

    def set(self, kind: CookieKind, value: str, max_age: int | None) -> str:
        """A Set-Cookie value; `max_age` in seconds, None for a cookie that ends with the browser."""
        where = f"{self.path}/cookie" if kind == "rt" else "/"
        return self._line(self.name(kind), value, where, max_age)

    def moved(self, kind: CookieKind, value: str, max_age: int) -> tuple[str, str]:
        """The Set-Cookie values that rename a cookie from its old name."""
        return self.set(kind, value, max_age), self.clear_old(kind)

    def clear(self, kind: CookieKind) -> str:
        """A Set-Cookie value that removes the cookie."""
        return self.set(kind, "", 0)

    def clear_old(self, kind: CookieKind) -> str:
        """A Set-Cookie value that removes the cookie of the old name."""
        return self._line(self.old_name(kind), "", "/", 0)

    def _line(self, name: str, value: str, path: str, max_age: int | None) -> str:
        age = "" if max_age is None else f"; Max-Age={max_age}"
        tail = "; Secure" if self.secure else ""
        return f"{name}={value}; Path={path}; HttpOnly; SameSite=Lax{age}{tail}"
