"""Chromium's virtual authenticator (WebDriver BiDi's older form, over the DevTools protocol), for one tab.

It exists for the tab in which it was made, and only at `localhost` or over https. A call for suggestions (conditional mediation) is
answered at once when a passkey is there, as if the person had chosen it; `asleep` prevents that for pages that must not sign in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import CDPSession, Page


@dataclass(frozen=True)
class Authenticator:
    """One authenticator of one tab."""

    session: CDPSession
    id: str

    def credentials(self) -> list[dict[str, Any]]:
        """The passkeys in it, with their keys and counters."""
        return self._send("getCredentials")["credentials"]

    def remove(self, credential_id: str) -> None:
        """Delete one passkey."""
        self._send("removeCredential", credentialId=credential_id)

    def put(self, credential: dict[str, Any]) -> None:
        """Store a passkey, such as a copy of an older state."""
        self._send("addCredential", credential=credential)

    def verify(self, *, succeeds: bool) -> None:
        """Whether the person unlocks it: by finger, face or PIN."""
        self._send("setUserVerified", isUserVerified=succeeds)

    def answer_unverified(self, unverified: bool) -> None:
        """Whether its answers say that nobody unlocked it, whatever was asked for."""
        self._send("setResponseOverrideBits", isBadUV=unverified)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """It does not react: calls stay pending until the page ends them."""
        self._send("setAutomaticPresenceSimulation", enabled=False)
        try:
            yield
        finally:
            self._send("setAutomaticPresenceSimulation", enabled=True)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.session.send(f"WebAuthn.{method}", {"authenticatorId": self.id, **parameters})


def attach(
    page: Page, transport: Literal["internal", "usb"] = "internal", *, synced: bool = True
) -> Authenticator:
    """Give the tab an authenticator: the device's own, or a security key. `synced`: its passkeys are backed up."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": transport,
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "defaultBackupEligibility": synced,
        "defaultBackupState": synced,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Authenticator(session, made["authenticatorId"])
