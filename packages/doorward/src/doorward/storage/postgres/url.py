"""PostgreSQL URL: parsing, and display without the password."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

_SCHEMES = ("postgresql://", "postgres://")
_WORD = re.compile(r"([?&])([^=&?]*)=([^&]*)")
_SECRET_WORDS = frozenset({"password", "passwd", "sslpassword"})


def is_postgres(database: str) -> bool:
    """Whether the setting is a PostgreSQL URL and not a file."""
    return database.lower().startswith(_SCHEMES)


def shown(database: str) -> str:
    """The setting without its password, for logs, pages and errors."""
    if not is_postgres(database):
        return database
    scheme, _, rest = database.partition("://")
    secret = next((word for word in _WORD.finditer(rest) if _is_secret(word)), None)
    head, words = (rest, "") if secret is None else (rest[: secret.start()], rest[secret.start() :])
    # a password may contain the characters that end the host part: it extends to the last @ before the query parameters
    before, at, behind = head.rpartition("@")
    if at:
        user, colon, _ = before.partition(":")
        head = f"{user}{':***' if colon else ''}@{behind}"
    elif "@" in words and "/" not in head:
        # a password that contains a question mark, and text that looks like a parameter
        head = head.partition(":")[0] + ":***"
    return f"{scheme}://{head}{_WORD.sub(_masked, words)}"


def _is_secret(word: re.Match[str]) -> bool:
    return unquote(word[2]).lower() in _SECRET_WORDS


def _masked(word: re.Match[str]) -> str:
    return f"{word[1]}{word[2]}=***" if _is_secret(word) else word[0]


def each_host(url: str) -> Sequence[str]:
    """A URL for each host of one that names several (`host1:5432,host2:5432`), so that each can be tried separately."""
    # not urlsplit: newer Python versions refuse an IPv6 address after another host
    scheme, _, rest = url.partition("://")
    place, slash, behind = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    if "," not in hosts:
        return [url]
    return [f"{scheme}://{user}{at}{host}{slash}{behind}" for host in hosts.split(",")]


def asks_for_role(url: str) -> bool:
    """Whether the URL itself selects one of several servers."""
    return "target_session_attrs=" in url.partition("?")[2]


class DatabaseUrl(str):
    """The setting as a value that can be used but not displayed: printed, formatted or represented, its password is
    `***`."""

    __slots__ = ()

    def __str__(self) -> str:
        return shown(super().__str__())

    def __repr__(self) -> str:
        return repr(shown(super().__str__()))

    def __format__(self, spec: str) -> str:
        return format(shown(super().__str__()), spec)

    def reveal(self) -> str:
        """The URL with its password, for connecting."""
        return super().__str__()
