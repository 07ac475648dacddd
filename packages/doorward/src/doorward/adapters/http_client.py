"""HTTP client for calls to apps and gateways: one guarded POST, and logout tokens sent by it (OpenID Connect Back-Channel
Logout 1.0 §2.5)."""

from __future__ import annotations

import ssl
from typing import Any, Final, final
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from doorward.adapters import trust
from doorward.core.web_origin import loopback

_MAX_ANSWER: Final = 5 * 1024
_LOGOUT_TIMEOUT: Final = 5.0
_TAKEN: Final = frozenset({200, 204})


class GuardedAnswer(Struct, frozen=True):
    """The status and the first 5 kB of the body."""

    status: int
    body: bytes


class CallFailed(Exception):
    """There is no answer. The text is safe to log."""


@final
class GuardedPost:
    """Posts only to https, except for http on this machine in `development`; redirects are never followed, so that only a
    registered or configured address can be called."""

    def __init__(
        self, *, timeout: float, development: bool = False, context: ssl.SSLContext | None = None
    ) -> None:
        self._timeout = timeout
        self._development = development
        self._client = httpx2.AsyncClient(
            verify=context if context is not None else trust.context(),
            follow_redirects=False,
            timeout=timeout,
            trust_env=False,
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
            headers={"user-agent": "Doorward"},
        )

    async def post(self, url: str, **sent: Any) -> GuardedAnswer:
        """One POST; `sent` as httpx2 takes it (`content`, `data`, `headers`, `auth`). Raises `CallFailed`."""
        if not allowed(url, development=self._development):
            raise CallFailed(
                "its address may not be called: https alone, but for http on this machine in development"
            )
        try:
            async with self._client.stream("POST", url, **sent) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes(1024):
                    body += chunk
                    if len(body) > _MAX_ANSWER:
                        break
                return GuardedAnswer(status=answer.status_code, body=bytes(body[:_MAX_ANSWER]))
        except httpx2.TimeoutException:
            raise CallFailed(f"no answer within {self._timeout:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise CallFailed(trust.why(error)) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


@final
class BackChannel:
    """Posts logout tokens."""

    def __init__(self, *, development: bool = False, context: ssl.SSLContext | None = None) -> None:
        self._http = GuardedPost(timeout=_LOGOUT_TIMEOUT, development=development, context=context)

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
