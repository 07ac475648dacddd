"""Guarded HTTP POST: https only, no redirects, no proxy of the environment, a bounded answer."""

from __future__ import annotations

import ssl
from typing import Any, Final, final
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from doorward.adapters import trust
from doorward.core.web_origin import loopback

_MAX_ANSWER: Final = 5 * 1024


class GuardedAnswer(Struct, frozen=True):
    """The status and the first 5 kB of the body."""

    status: int
    body: bytes


class CallFailed(Exception):
    """There is no answer. The text is safe to log."""


@final
class GuardedPost:
    """Posts to addresses that the operator has configured. Plain http is allowed only on this machine and in
    `development`."""

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
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=4),
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
