"""How does the server call an app? One guarded POST: back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.5)."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Final, final
from urllib.parse import urlsplit

import httpx2

_TIMEOUT: Final = 5.0
_MAX_ANSWER: Final = 5 * 1024


@final
class BackChannel:
    """Posts logout tokens. https only, but for http on this machine while `development`; redirects are never followed, so
    that an app's registered address is the only one that can be called."""

    def __init__(self, *, development: bool = False, context: ssl.SSLContext | None = None) -> None:
        self._development = development
        self._client = httpx2.AsyncClient(
            verify=context if context is not None else True,
            follow_redirects=False,
            timeout=_TIMEOUT,
            trust_env=False,
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
            headers={"user-agent": "Doorward"},
        )

    async def post_logout_token(self, url: str, token: str) -> bool:
        """Whether the app took it: 200 or 204 (§2.8); 400 too, since sending the same again cannot help."""
        if not self.allowed(url):
            return False
        try:
            async with self._client.stream("POST", url, data={"logout_token": token}) as answer:
                size = 0
                async for chunk in answer.aiter_bytes(1024):
                    size += len(chunk)
                    if size > _MAX_ANSWER:
                        break
                return answer.status_code in {200, 204, 400}
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            return False

    def allowed(self, url: str) -> bool:
        """Whether this address may be called at all."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        if not host or "@" in parts.netloc:
            return False
        if parts.scheme == "https":
            return True
        return self._development and parts.scheme == "http" and _this_machine(host)

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
