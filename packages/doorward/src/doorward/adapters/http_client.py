"""HTTP client for calls to apps: one guarded POST (OpenID Connect Back-Channel Logout 1.0 §2.5)."""

from __future__ import annotations

import ssl
from typing import Final, final
from urllib.parse import urlsplit

import httpx2

from doorward.adapters import trust
from doorward.core.web_origin import loopback

_TIMEOUT: Final = 5.0
_MAX_ANSWER: Final = 5 * 1024
_TAKEN: Final = frozenset({200, 204})


@final
class BackChannel:
    """Posts logout tokens. Requires https, except for http on this machine in `development`; redirects are never
    followed, so that only an app's registered address can be called."""

    def __init__(self, *, development: bool = False, context: ssl.SSLContext | None = None) -> None:
        self._development = development
        self._client = httpx2.AsyncClient(
            verify=context if context is not None else trust.context(),
            follow_redirects=False,
            timeout=_TIMEOUT,
            trust_env=False,
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
            headers={"user-agent": "Doorward"},
        )

    async def post_logout_token(self, url: str, token: str) -> str | None:
        """None when the app accepted it, 200 or 204 (§2.8); else the reason, in words that are safe to log and to show
        to an operator.

        400 means that the app did not sign the person out (§2.8): it may succeed later, with a new token, once the app
        has our new keys.
        """
        if not self.allowed(url):
            return "its address may not be called: https alone, but for http on this machine in development"
        try:
            async with self._client.stream("POST", url, data={"logout_token": token}) as answer:
                size = 0
                async for chunk in answer.aiter_bytes(1024):
                    size += len(chunk)
                    if size > _MAX_ANSWER:
                        break
                return None if answer.status_code in _TAKEN else _refused(answer.status_code)
        except httpx2.TimeoutException:
            return f"no answer within {_TIMEOUT:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return trust.why(error)

    def allowed(self, url: str) -> bool:
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
        return self._development and parts.scheme == "http" and loopback(host)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _refused(status: int) -> str:
    said = f"it answered {status}"
    if status == 400:
        return f"{said}: it did not accept the log-out token, or could not sign the person out"
    if 300 <= status < 400:
        return f"{said}; redirects are not followed"
    return said
