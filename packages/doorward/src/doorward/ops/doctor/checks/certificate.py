"""Check of the certificate that this server itself presents. Part of `doctor`."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from doorward.adapters.clock import SystemClock
from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings

_SOON: Final = timedelta(days=14)


def certificate(settings: Settings) -> Finding | None:
    """Whether our own certificate matches the issuer's name and its key, and is valid for long enough. None: a proxy ends TLS."""
    server = settings.server
    if server.tls_cert is None or server.tls_key is None:
        return None
    try:
        chain = x509.load_pem_x509_certificates(Path(server.tls_cert).read_bytes())
        key: Any = load_pem_private_key(Path(server.tls_key).read_bytes(), None)
    except (OSError, ValueError, TypeError) as problem:
        return failed(f"cannot be read ({problem})", "Check server.tls_cert and server.tls_key.")
    leaf = chain[0]
    if _public(leaf.public_key()) != _public(key.public_key()):
        return failed(
            f"{server.tls_cert} is not for the key in {server.tls_key}", "Name the two that belong together."
        )
    host = urlsplit(settings.issuer).hostname or ""
    if not _names(leaf, host):
        return failed(f"{server.tls_cert} is not for {host}", f"Get one for {host}, or correct the issuer.")
    left = leaf.not_valid_after_utc.timestamp() - SystemClock().now()
    ends = f"ends on {leaf.not_valid_after_utc:%Y-%m-%d}"
    renew = "Renew it, and reload the server (SIGHUP)."
    if left <= 0:
        return failed(f"{server.tls_cert} has ended ({ends})", renew)
    if left < _SOON.total_seconds():
        return passed(f"for {host}, but {ends}", renew)
    return passed(f"for {host}, {ends}")


def _public(key: Any) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(leaf: x509.Certificate, host: str) -> bool:
    """Whether the certificate covers the name (RFC 9525 §6.3): exactly, or with its first label as `*`."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        names = {name.lower() for name in found.get_values_for_type(x509.DNSName)}
    return host in names or f"*.{host.partition('.')[2]}" in names
