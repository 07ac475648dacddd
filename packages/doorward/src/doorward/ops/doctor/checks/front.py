"""What can be wrong with how people reach the server: issuer, certificate, proxies, port? Part of `doctor`; changes nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from doorward.adapters.clock import SystemClock
from doorward.ops.doctor.check import Check
from doorward.server.sockets import UNIX, shown
from doorward.settings import Settings
from doorward.settings.checks import loopback

_SOON: Final = timedelta(days=14)
# A network of more addresses than anybody has proxies: 10.0.0.0/8 is the largest that one house owns.
_WIDEST: Final = {4: 8, 6: 32}


def issuer(settings: Settings) -> Check:
    """Whether people can use it."""
    issuer = settings.issuer
    if issuer.startswith("https://"):
        return Check("issuer", True, f"{issuer}: cookies are __Host- and Secure")
    if settings.development:
        return Check("issuer", True, f"{issuer}: development, cookies without Secure")
    return Check(
        "issuer",
        False,
        f"{issuer} is plain http on this machine: nobody else can sign in, and cookies are not Secure",
        "Set issuer to the https address that people use, or development = true.",
    )


def proxies(settings: Settings) -> Check:
    """Whether forwarding headers are believed from the proxy, and from nobody else."""
    name, server = "proxies", settings.server
    for text in server.trusted_proxies:
        network = ipaddress.ip_network(text, strict=False)
        if network.prefixlen < _WIDEST[network.version]:
            return Check(
                name,
                False,
                f"server.trusted_proxies holds {text}: almost anybody may claim any address",
                "Name the proxy's own address there.",
            )
    if server.trusted_proxies:
        return Check(name, True, f"X-Forwarded-For is believed from {', '.join(server.trusted_proxies)}")
    if server.host.startswith(UNIX):
        return Check(name, True, "X-Forwarded-For is believed from whoever may open the socket")
    if settings.issuer.startswith("https:") and server.tls_cert is None:
        return Check(
            name,
            True,
            "a proxy ends TLS, and is not named: everybody seems to come from its address, and is throttled as one",
            'Set server.trusted_proxies = ["127.0.0.1"] (the address from which the proxy connects). A socket needs none.',
        )
    return Check(name, True, "none")


def certificate(settings: Settings) -> Check | None:
    """Whether our own certificate is for the issuer's name, for its key, and for long enough. None: a proxy ends TLS."""
    server, name = settings.server, "certificate"
    if server.tls_cert is None or server.tls_key is None:
        return None
    try:
        chain = x509.load_pem_x509_certificates(Path(server.tls_cert).read_bytes())
        key: Any = load_pem_private_key(Path(server.tls_key).read_bytes(), None)
    except (OSError, ValueError, TypeError) as problem:
        return Check(name, False, f"cannot be read ({problem})", "Check server.tls_cert and server.tls_key.")
    leaf = chain[0]
    if _public(leaf.public_key()) != _public(key.public_key()):
        return Check(
            name,
            False,
            f"{server.tls_cert} is not for the key in {server.tls_key}",
            "Name the two that belong together.",
        )
    host = urlsplit(settings.issuer).hostname or ""
    if not _names(leaf, host):
        return Check(
            name, False, f"{server.tls_cert} is not for {host}", f"Get one for {host}, or correct the issuer."
        )
    left = leaf.not_valid_after_utc.timestamp() - SystemClock().now()
    ends = f"ends on {leaf.not_valid_after_utc:%Y-%m-%d}"
    renew = "Renew it, and reload the server (SIGHUP)."
    if left <= 0:
        return Check(name, False, f"{server.tls_cert} has ended ({ends})", renew)
    if left < _SOON.total_seconds():
        return Check(name, True, f"for {host}, but {ends}", renew)
    return Check(name, True, f"for {host}, {ends}")


async def port(settings: Settings) -> Check:
    """Whether it is free, or this server's."""
    where = shown(settings.server.host, settings.port)
    if await asyncio.to_thread(_free, settings.server.host, settings.port):
        behind = urlsplit(settings.issuer).port != settings.port and not loopback(
            urlsplit(settings.issuer).hostname
        )
        return Check("port", True, f"{where} is free" + (", for a proxy in front" if behind else ""))
    try:
        answered: object = (await ask(settings, "/.well-known/openid-configuration")).json()
    except (httpx2.HTTPError, ValueError):
        answered = None
    issuer: object = answered.get("issuer") if isinstance(answered, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if issuer == settings.issuer:
        return Check("port", True, f"{where}: this server runs there")
    said = f"{where} is taken by something else"
    if isinstance(answered, dict) and "temporarily_unavailable" in answered.values():
        said = f"{where} answers, and is not ready: a server without its database, or something else"
    if isinstance(issuer, str):
        said = f"{where} answers as {issuer}, not as {settings.issuer}"
    return Check("port", False, said, "Stop it, or choose another server.port.")


async def ready(settings: Settings) -> Check:
    """What the server that runs here says of itself."""
    where = shown(settings.server.host, settings.port)
    try:
        answer = await ask(settings, "/readyz")
    except httpx2.HTTPError as problem:
        return Check(
            "ready", False, f"{where} does not answer ({type(problem).__name__})", "Start it: doorward serve"
        )
    if answer.status_code == 200:
        return Check("ready", True, f"{where} answers")
    return Check(
        "ready", False, f"{where} answers {answer.status_code}: {answer.text[:200]}", "doorward doctor"
    )


async def ask(settings: Settings, path: str) -> httpx2.Response:
    """GET a path of our own server, on its own port or socket. Raises `httpx2.HTTPError`."""
    host = settings.server.host
    scheme = "https" if settings.server.tls_cert else "http"
    at = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    unix = host.removeprefix(UNIX) if host.startswith(UNIX) else None
    place = "localhost" if unix else shown(at, settings.port)
    url = f"{scheme}://{place}{urlsplit(settings.issuer).path}{path}"
    # our own port, whose certificate bears the public name and not this one
    transport = httpx2.AsyncHTTPTransport(verify=False, uds=unix, trust_env=False)
    async with httpx2.AsyncClient(timeout=5, transport=transport) as client:
        return await client.get(url)


def _free(host: str, port: int) -> bool:
    if host.startswith(UNIX):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(host.removeprefix(UNIX)) != 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _public(key: Any) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(leaf: x509.Certificate, host: str) -> bool:
    """Whether the certificate bears the name (RFC 9525 §6.3): as it is, or with its first label as `*`."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        names = {name.lower() for name in found.get_values_for_type(x509.DNSName)}
    return host in names or f"*.{host.partition('.')[2]}" in names
