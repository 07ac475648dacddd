"""HTTP client for every outgoing call: one guard of addresses, sizes and times, and logout tokens sent by it (OpenID Connect
Back-Channel Logout 1.0 §2.5)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, Literal, final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from doorward.adapters import trust
from doorward.adapters.background import loaded
from doorward.adapters.outgoing_address import (
    AddressRefused,
    MayBePrivate,
    Resolve,
    any_host,
    checked_addresses,
    look_up,
    no_host,
)
from doorward.core.lean_import import Deferred
from doorward.core.web_origin import loopback

if TYPE_CHECKING:
    import httpx2
else:
    httpx2 = Deferred("httpx2")

SHORT_ANSWER: Final = 5 * 1024
DOCUMENT: Final = 128 * 1024
"""Bytes of metadata, keys, tokens and userinfo (R63)."""
_LOGOUT_TIMEOUT: Final = 5.0
_TAKEN: Final = frozenset({200, 204})
_MOST_ADDRESSES: Final = 4


class GuardedAnswer(Struct, frozen=True):
    """The status, the body, the media type in lower case without its parameters, and the headers about caching as they are."""

    status: int
    body: bytes
    media_type: str = ""
    cache_control: str = ""
    age: str = ""


class CallFailed(Exception):
    """There is no answer. The text is safe to log."""


@final
class GuardedHttp:
    """Every outgoing call goes through one of these (R63).

    It calls https only, except for http on this machine in `development`. The host is looked up once, its addresses are checked, and the
    connection goes to a checked one; the certificate is checked against the name. Redirects are never followed and environment
    variables name no proxy, so that only the given address can be called. `timeout` (seconds) is for the whole call, so that an answer
    that drips does not hold it open. Answers are not compressed: a small one could become a huge one.

    `may_be_private`: the hosts that the operator has named; without it none may have a private address. `connections`: calls at a time.
    `ca_file`: see `trust.context`; `context` replaces it. The library and the authorities are loaded with the first call, in a thread.
    """

    def __init__(
        self,
        *,
        timeout: float,
        development: bool = False,
        ca_file: str | None = None,
        context: ssl.SSLContext | None = None,
        may_be_private: MayBePrivate = no_host,
        resolve: Resolve = look_up,
        connections: int = 20,
    ) -> None:
        self._timeout = timeout
        self._development = development
        self._may_be_private = may_be_private
        self._resolve = resolve
        self._ca_file = ca_file
        self._context = context
        self._connections = connections
        self._client: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def post(self, url: str, **sent: Any) -> GuardedAnswer:
        """One POST; `sent` as httpx2 takes it (`content`, `data`, `headers`, `auth`). The body is cut at `SHORT_ANSWER`. Raises
        `CallFailed`."""
        return await self._call("POST", url, SHORT_ANSWER, whole=False, sent=sent)

    async def post_for_document(self, url: str, **sent: Any) -> GuardedAnswer:
        """The same for an answer that is needed whole, up to `DOCUMENT` bytes. Raises `CallFailed`."""
        return await self._call("POST", url, DOCUMENT, whole=True, sent=sent)

    async def get(self, url: str, *, most: int = DOCUMENT, **sent: Any) -> GuardedAnswer:
        """One GET, for an answer that is needed whole, up to `most` bytes; `sent` may have `headers`. Raises `CallFailed`."""
        return await self._call("GET", url, most, whole=True, sent=sent)

    async def status(self, url: str) -> int:
        """The status of one GET, whatever its body is. Raises `CallFailed`."""
        return (await self._call("GET", url, SHORT_ANSWER, whole=False, sent={})).status

    async def _call(
        self, method: Literal["GET", "POST"], url: str, most: int, *, whole: bool, sent: dict[str, Any]
    ) -> GuardedAnswer:
        if not allowed(url, development=self._development):
            raise CallFailed(
                "its address may not be called: https alone, but for http on this machine in development"
            )
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._at_checked(method, parts, most, whole=whole, sent=sent)
        except TimeoutError:
            # on its own: the library may still be loading
            raise CallFailed(self._late()) from None
        except AddressRefused as refused:
            raise CallFailed(f"its address may not be called: {refused}") from None
        except httpx2.TimeoutException:
            raise CallFailed(self._late()) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise CallFailed(trust.why(error)) from None

    async def _at_checked(
        self, method: str, parts: SplitResult, most: int, *, whole: bool, sent: dict[str, Any]
    ) -> GuardedAnswer:
        client = await self._opened()
        url = httpx2.URL(parts.geturl())
        host = _host(url)
        port = url.port or (443 if parts.scheme == "https" else 80)
        addresses = await checked_addresses(
            host,
            port,
            resolve=self._resolve,
            may_be_private=self._may_be_private,
            local_only=parts.scheme == "http",
        )
        headers = {**sent.pop("headers", {}), "host": url.netloc.decode("ascii")}
        first: httpx2.ConnectError | httpx2.ConnectTimeout | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            request = client.build_request(
                method,
                url.copy_with(host=address),
                headers=headers,
                # the certificate has to be the host's, although the connection goes to its address
                extensions={"sni_hostname": host},
                **{name: value for name, value in sent.items() if name != "auth"},
            )
            try:
                answer = await client.send(request, stream=True, auth=sent.get("auth"))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                # nothing was sent yet, so another address may be tried
                first = first or error
                continue
            try:
                return await _read(answer, most, whole=whole)
            finally:
                await answer.aclose()
        raise first or AddressRefused("its host has no address")

    def _late(self) -> str:
        return f"no answer within {self._timeout:g} s"

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            await loaded(httpx2)
            async with self._opening:
                # a call that waited meanwhile finds it
                self._client = self._client or await asyncio.to_thread(self._open)
        return self._client

    def _open(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._context if self._context is not None else trust.context(self._ca_file),
            follow_redirects=False,
            # half of it for a connection, so that there is time for another address
            timeout=httpx2.Timeout(self._timeout, connect=self._timeout / 2),
            trust_env=False,
            limits=httpx2.Limits(max_connections=self._connections, max_keepalive_connections=0),
            headers={"user-agent": "Doorward", "accept-encoding": "identity"},
        )


async def _read(answer: httpx2.Response, most: int, *, whole: bool) -> GuardedAnswer:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if whole and encoding != "identity":
        raise CallFailed("its answer is compressed, which was not asked for")
    body = bytearray()
    async for chunk in answer.aiter_raw(1024):
        body += chunk
        if len(body) > most:
            if whole:
                raise CallFailed(f"its answer is longer than {most} bytes")
            break
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return GuardedAnswer(
        status=answer.status_code,
        body=bytes(body[:most]),
        media_type=media_type,
        cache_control=answer.headers.get("cache-control", "")[:500],
        age=answer.headers.get("age", ""),
    )


def http_for_documents(
    hosts: Collection[str | None], *, timeout: float, development: bool, ca_file: str | None
) -> GuardedHttp:
    """A client for documents of somebody else. `hosts`: those that the operator has named."""
    return GuardedHttp(
        timeout=timeout,
        development=development,
        ca_file=ca_file,
        may_be_private=frozenset(hosts).__contains__,
    )


@final
class BackChannel:
    """Posts logout tokens."""

    def __init__(
        self,
        *,
        development: bool = False,
        ca_file: str | None = None,
        context: ssl.SSLContext | None = None,
        connections: int = 20,
    ) -> None:
        self._http = GuardedHttp(
            timeout=_LOGOUT_TIMEOUT,
            connections=connections,
            development=development,
            ca_file=ca_file,
            context=context,
            may_be_private=any_host,
        )

    async def post_logout_token(self, url: str, token: str) -> str | None:
        """None when the app accepted it, 200 or 204 (§2.8); else the reason, in words that are safe to log and to show
        to an operator.

        400 means that the app did not sign the person out (§2.8): it may succeed later, with a new token, once the app
        has our new keys.
        """
        try:
            status = (await self._http.post(url, data={"logout_token": token})).status
        except CallFailed as failed:
            return str(failed)
        if status == 400:
            return (
                f"{answered(status)}: it did not accept the log-out token, or could not sign the person out"
            )
        return None if status in _TAKEN else answered(status)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


async def host_of(url: str) -> str:
    """The host as it is called, and compared with the hosts that the operator has named."""
    await loaded(httpx2)
    return _host(httpx2.URL(url))


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii")


def allowed(url: str, *, development: bool) -> bool:
    """Whether this address may be called."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return True
    return development and parts.scheme == "http" and loopback(host)


def answered(status: int) -> str:
    """The reason of a status that is no success, for a log."""
    return (
        f"it answered {status}; redirects are not followed"
        if 300 <= status < 400
        else f"it answered {status}"
    )
