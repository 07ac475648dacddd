"""Cookies: their names, and the only way in which they are set (RFC 6265bis §4.1.3, line 69)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from doorward_verify.cookie import issuer_mark

CookieKind = Literal["browser", "session", "device", "locale", "asked", "at", "rt"]
HOST = "__Host-"
SECURE = "__Secure-"


class CookieJar(Struct, frozen=True):
    """Names and attributes for one issuer. `secure` is False only for an http issuer on loopback (development), where some browsers
    refuse Secure cookies; the names then lack their prefix, so that the two worlds never mix.

    `mark` stands in every name: browsers tell neither ports nor (for `__Host-`) paths apart, and of two issuers on one host each
    would overwrite what the other set. `path` is the issuer's. The names of the release before had no mark: they are still read
    where the new ones are not there, and replaced at the next answer.
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
        """The cookie's name. `__Host-` makes browsers refuse one set by a sibling domain (cookie tossing); the refresh cookie has a
        path, so it can only be `__Secure-`, and counts beside the `__Host-` cookie that it was set with alone."""
        prefix = (SECURE if kind == "rt" else HOST) if self.secure else ""
        return f"{prefix}dw_{self.mark}_{kind}"

    def old_name(self, kind: CookieKind) -> str:
        """The name that it had in the release before."""
        return f"{HOST}dw_{kind}" if self.secure else f"dw_{kind}"

    def read(self, cookies: Mapping[str, str], kind: CookieKind) -> str | None:
        """The cookie's value, under its name or, where that is not there, under the old one."""
        found = cookies.get(self.name(kind))
        return found if found is not None else cookies.get(self.old_name(kind))

    def aged(self, cookies: Mapping[str, str], kind: CookieKind) -> bool:
        """Whether the cookie came under its old name alone."""
        return self.name(kind) not in cookies and self.old_name(kind) in cookies

    def set(self, kind: CookieKind, value: str, max_age: int | None) -> str:
        """A Set-Cookie value; `max_age` in seconds, None for a cookie that ends with the browser."""
        where = f"{self.path}/cookie" if kind == "rt" else "/"
        return self._line(self.name(kind), value, where, max_age)

    def moved(self, kind: CookieKind, value: str, max_age: int) -> tuple[str, str]:
        """The Set-Cookie values that bring a cookie from its old name to its new one."""
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
