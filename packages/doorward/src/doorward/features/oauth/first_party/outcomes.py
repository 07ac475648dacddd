"""What a call of the JSON sign-in answers."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward.core.errors import OAuthError


class Code(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The end: an authorization code for the token endpoint."""

    authorization_code: str
    device_token: str | None = None
    """The app stores it on this person's device, and sends it as `device_token` next time, so that the device is known to the account."""
    trust_token: str | None = None
    """The app stores it on this person's device in place of the one before, and sends it as `trust_token` next time, so that the second
    step is not asked for there."""


class More(Struct, frozen=True):
    """A factor is missing (`insufficient_authorization`), or was wrong (`because` is set). `auth_session` is for the next call; `next`
    names the step to send: password (with `username`), second_factor (with `code`) or passkey. `acceptable` are all steps of which any
    one may be next, each with what is needed to show it."""

    auth_session: str
    next: str
    acceptable: tuple[dict[str, Any], ...] = ()
    because: OAuthError | None = None
