"""Servers of one directory and what is agreed about their connections; the failure of LDAP."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.model.secret import Secret


class DirectoryUnavailable(Exception):
    """The directory gives no usable answer: down, slow, not trusted, or it refuses the service account. The text holds no secret, and is
    for logs and operators."""


class LdapTarget(Struct, frozen=True, kw_only=True):
    """`urls` are tried in their order. `starttls`: TLS begins before anything is sent over `ldap://`; a server without it gets nothing.
    `context` None: no TLS at all, which is for tests and sockets of this machine. Without `bind_dn` searches are anonymous. Times in
    seconds."""

    urls: tuple[str, ...]
    starttls: bool
    context: ssl.SSLContext | None
    bind_dn: str | None
    bind_password: Secret | None
    connect_timeout: int
    timeout: int
    threads: int

    def hosts(self) -> list[tuple[str, int, bool]]:
        """(host, port, whether TLS comes first) of each server."""
        found: list[tuple[str, int, bool]] = []
        for url in self.urls:
            parts = urlsplit(url)
            tls = parts.scheme == "ldaps"
            found.append((parts.hostname or "", parts.port or (636 if tls else 389), tls))
        return found
