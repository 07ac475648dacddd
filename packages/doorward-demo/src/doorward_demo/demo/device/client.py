"""Client of the device flow: codes, polls, refresh and sign-out (RFC 8628 §3, RFC 7009), from the server's metadata."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any, Final, cast

import httpx2
from msgspec import Struct

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES: Final = "openid email orders:read offline_access"
_SLOWER: Final = 5
"""Seconds longer after each `slow_down` (RFC 8628 §3.5)."""


def _agent() -> str:
    """The system is named, for the page on which the person recognises this device."""
    system = platform.system()
    return f"doorward-demo ({'Macintosh' if system == 'Darwin' else system})"


class NoAccess(Exception):
    """The server's answer in words for the person."""


class ShownCodes(Struct, frozen=True):
    """The codes of one request, as the server sent them."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int

    def __repr__(self) -> str:
        return "ShownCodes(***)"


class DeviceClient:
    """A public app: it has a `client_id` and no secret. `pause` waits so many seconds."""

    def __init__(
        self, issuer: str, client_id: str, resource: str, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client_id = client_id
        self._resource = resource
        self._pause = pause
        self._http = httpx2.Client(timeout=10, trust_env=False, headers={"User-Agent": _agent()})
        self._metadata = self._document("GET", f"{issuer}/.well-known/openid-configuration")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def begin(self) -> ShownCodes:
        """Codes for a new sign-in. Raises `NoAccess`."""
        said = self._post("device_authorization_endpoint", scope=SCOPES, resource=self._resource)
        if "error" in said:
            raise NoAccess(f"The server gives no code: {said.get('error_description', said['error'])}")
        return ShownCodes(**{name: said[name] for name in ShownCodes.__struct_fields__})

    def wait(self, codes: ShownCodes) -> dict[str, Any]:
        """The tokens, once the person has allowed it. Raises `NoAccess` when they refuse, or when the time is over."""
        interval, waited = codes.interval, 0
        while waited < codes.expires_in:
            self._pause(interval)
            waited += interval
            said = self._post("token_endpoint", grant_type=GRANT, device_code=codes.device_code)
            match said.get("error"):
                case None:
                    return said
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += _SLOWER
                case "access_denied":
                    raise NoAccess("You refused, so nothing happened.")
                case "expired_token":
                    break
                case _:
                    raise NoAccess(str(said.get("error_description", said["error"])))
        raise NoAccess("The code has expired. Begin again: doorward-demo login")

    def refresh(self, refresh_token: str) -> dict[str, Any] | None:
        """The next tokens; None when the sign-in has ended."""
        said = self._post("token_endpoint", grant_type="refresh_token", refresh_token=refresh_token)
        return None if "error" in said else said

    def revoke(self, refresh_token: str) -> None:
        """End the sign-in, with all its tokens."""
        form = {"token": refresh_token, "client_id": self._client_id}
        self._http.post(self._metadata["revocation_endpoint"], data=form).raise_for_status()

    def orders(self, api: str, access_token: str) -> list[dict[str, Any]] | None:
        """What the API answers; None when it accepts the token no longer."""
        answer = self._http.get(f"{api}/orders", headers={"Authorization": f"Bearer {access_token}"})
        if answer.status_code != 200:
            return None
        return cast("list[dict[str, Any]]", answer.json()["orders"])

    def _post(self, endpoint: str, **form: str) -> dict[str, Any]:
        return self._document("POST", self._metadata[endpoint], {**form, "client_id": self._client_id})

    def _document(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, data=form)
            said: object = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise NoAccess(f"{url} does not answer ({type(error).__name__}).") from None
        return cast("dict[str, Any]", said) if isinstance(said, dict) else {"error": "no JSON object"}
