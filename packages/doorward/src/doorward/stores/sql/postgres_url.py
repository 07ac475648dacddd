"""What does the URL of a PostgreSQL database say, and how is it shown to people?"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SCHEMES = ("postgresql://", "postgres://")
_IN_QUERY = re.compile(r"(?i)\b(password|passwd|sslpassword)=[^&]*")


def is_postgres(database: str) -> bool:
    """Whether the setting names a PostgreSQL database and not a file."""
    return database.lower().startswith(_SCHEMES)


def shown(database: str) -> str:
    """The setting without its password, for logs, pages and errors."""
    if not is_postgres(database):
        return database
    scheme, _, rest = database.partition("://")
    # a password may hold what ends the host of a URL: it reaches to the last @ before path and query at the latest
    before, at, behind = rest.rpartition("@")
    if at:
        user, colon, _ = before.partition(":")
        rest = f"{user}{':***' if colon else ''}@{behind}"
    return f"{scheme}://{_IN_QUERY.sub(lambda found: f'{found[1]}=***', rest)}"


def each_host(url: str) -> Sequence[str]:
    """A URL for each host of one that names several (`host1:5432,host2:5432`), so that each can be asked by itself."""
    # not by urlsplit: newer Pythons refuse an IPv6 address behind another host
    scheme, _, rest = url.partition("://")
    place, slash, behind = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    if "," not in hosts:
        return [url]
    return [f"{scheme}://{user}{at}{host}{slash}{behind}" for host in hosts.split(",")]


def asks_for_role(url: str) -> bool:
    """Whether the URL itself says which of several servers it wants."""
    return "target_session_attrs=" in url.partition("?")[2]


class DatabaseUrl(str):
    """The setting as a value that can be used and not seen: printed, formatted or represented, its password is `***`."""

    __slots__ = ()

    def __str__(self) -> str:
        return shown(super().__str__())

    def __repr__(self) -> str:
        return repr(shown(super().__str__()))

    def __format__(self, spec: str) -> str:
        return format(shown(super().__str__()), spec)

    def reveal(self) -> str:
        """The URL with its password, for whoever connects."""
        return super().__str__()
