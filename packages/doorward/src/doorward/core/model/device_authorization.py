"""Request of a device without a browser, which a person answers on another device (RFC 8628)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DeviceState = Literal["pending", "expired", "denied", "approved", "redeemed"]


class DeviceAuthorization(Struct, frozen=True, kw_only=True):
    """One request (`dva_…`). Times are in seconds since the epoch.

    The device code is stored by its SHA-256 (`device_hash`). The user code is short, so a plain hash of it could be
    inverted: it is found by a keyed hash (`user_tag`), and `user_code` is sealed, for the page that shows it again.
    `scopes` and `audience` are what the app may request, before the person is considered; `acr_values` and `max_age` as
    in an authorization request. `address` and `user_agent` are the device's, as the server saw them. `interval` is the
    least number of seconds between two polls now; `slowed_at` is when it was raised last. `account_id` and `grant_id`
    are set by the person who allowed it.
    """

    id: str
    device_hash: bytes
    user_tag: str
    user_code: bytes
    client_id: str
    scopes: tuple[str, ...]
    audience: str
    acr_values: tuple[str, ...]
    max_age: int | None
    address: str
    user_agent: str
    created_at: int
    expires_at: int
    interval: int
    slowed_at: int | None = None
    denied_at: int | None = None
    approved_at: int | None = None
    account_id: str | None = None
    grant_id: str | None = None
    redeemed_at: int | None = None

    def state(self, now: int) -> DeviceState:
        """What has become of the request at `now`. What a person decided in time stays decided."""
        if self.redeemed_at is not None:
            return "redeemed"
        if self.denied_at is not None:
            return "denied"
        if now >= self.expires_at:
            return "expired"
        return "pending" if self.approved_at is None else "approved"
