"""Checks of the port: which program answers there, and whether the server that runs there is ready. Part of `doctor`."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx2

from doorward.core.model.finding import Finding, failed, passed
from doorward.core.web_origin import loopback
from doorward.server.sockets import UNIX, bind, shown
from doorward.settings import Settings


async def port(settings: Settings) -> Finding:
    """Whether the port is free, or used by this server."""
    where = shown(settings.server.host, settings.port)
    if _free(settings.server.host, settings.port):
        behind = urlsplit(settings.issuer).port != settings.port and not loopback(
            urlsplit(settings.issuer).hostname
        )
        return passed(f"{where} is free" + (", for a proxy in front" if behind else ""))
    try:
        answered: object = (await ask(settings, "/.well-known/openid-configuration")).json()
    except httpx2.ConnectError as problem:
        if not _refused(problem):
            answered = None
        else:
            # a server takes its port when it begins to start, and listens when it can answer; the system does not say whose a port is
            return failed(
                f"{where} is taken, and refuses connections: a doorward server that is starting, or another program",
                "Look again in some seconds. If it is another program, stop it, or choose another server.port.",
            )
    except (httpx2.HTTPError, ValueError):
        answered = None
    issuer: object = answered.get("issuer") if isinstance(answered, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if issuer == settings.issuer:
        return passed(f"{where}: this server runs there")
    said = f"{where} is taken by something else"
    if isinstance(answered, dict) and "temporarily_unavailable" in answered.values():
        said = f"{where} answers, and is not ready: a server without its database, or something else"
    if isinstance(issuer, str):
        said = f"{where} answers as {issuer}, not as {settings.issuer}"
    return failed(said, "Stop it, or choose another server.port.")


async def ready(settings: Settings) -> Finding:
    """What the server that runs here reports of itself."""
    where = shown(settings.server.host, settings.port)
    try:
        answer = await ask(settings, "/readyz")
    except httpx2.HTTPError as problem:
        return failed(f"{where} does not answer ({type(problem).__name__})", "Start it: doorward serve")
    if answer.status_code == 200:
        return passed(f"{where} answers")
    return failed(f"{where} answers {answer.status_code}: {answer.text[:200]}", "doorward doctor")


async def ask(settings: Settings, path: str) -> httpx2.Response:
    """GET a path of our own server, on its own port or socket. Raises `httpx2.HTTPError`."""
    host = settings.server.host
    scheme = "https" if settings.server.tls_cert else "http"
    at = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    unix = host.removeprefix(UNIX) if host.startswith(UNIX) else None
    place = "localhost" if unix else shown(at, settings.port)
    url = f"{scheme}://{place}{urlsplit(settings.issuer).path}{path}"
    # our own port; its certificate is for the public name, not for this address
    transport = httpx2.AsyncHTTPTransport(verify=False, uds=unix, trust_env=False)
    async with httpx2.AsyncClient(timeout=5, transport=transport) as client:
        return await client.get(url)


def _refused(problem: BaseException | None) -> bool:
    """Whether nothing listens there; TLS that fails is a `ConnectError` too."""
    while problem is not None and not isinstance(problem, ConnectionRefusedError):
        problem = problem.__cause__ or problem.__context__
    return problem is not None


def _free(host: str, port: int) -> bool:
    if host.startswith(UNIX):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(host.removeprefix(UNIX)) != 0
    try:
        bind(host, port).close()
    except OSError:
        return False
    return True
