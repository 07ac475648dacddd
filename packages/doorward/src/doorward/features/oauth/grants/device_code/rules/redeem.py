"""Redemption of a device code: by the app that asked, after the person allowed it, once (RFC 8628 §3.4, §3.5, R35)."""

from __future__ import annotations

from typing import Final, assert_never

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.core.model.grant import Grant

BAD: Final = "The device code is invalid."
PENDING: Final = OAuthError("authorization_pending", "The person has not decided yet.")
SLOW_DOWN: Final = OAuthError(
    "slow_down",
    "Poll less often: wait five seconds longer from now on.",
    "polled before the interval was over",
)


class DeviceAllowed(Struct, frozen=True):
    """The person allowed it; the compare-and-swap that follows ensures that it is the first redemption."""

    request: DeviceAuthorization
    grant: Grant


class DeviceRedeemed(Struct, frozen=True):
    """The code was redeemed before: two hold it, so the tokens that it gave must end."""

    request: DeviceAuthorization
    grant: Grant | None


class DevicePending(Struct, frozen=True):
    """Nobody has decided yet."""

    request: DeviceAuthorization


def check(
    request: DeviceAuthorization | None, grant: Grant | None, client: Client, *, now: int
) -> DeviceAllowed | DeviceRedeemed | DevicePending | OAuthError:
    """Decide on a poll. `request` is the stored row of the device code, `grant` that of the request, if it has one."""
    if request is None:
        return OAuthError("invalid_grant", BAD, "no such device code")
    if request.client_id != client.id:
        # it changes nothing for the app that asked
        return OAuthError("invalid_grant", BAD, f"the device code was given to app {request.client_id}")
    state = request.state(now)
    match state:
        case "pending":
            return DevicePending(request)
        case "denied":
            return OAuthError("access_denied", "The person refused.", "the person refused on the device page")
        case "expired":
            return OAuthError("expired_token", "The device code has expired.", "nobody allowed it in time")
        case "redeemed":
            return DeviceRedeemed(request, grant)
        case "approved":
            return _live(request, grant, now)
        case _:
            assert_never(state)


def _live(request: DeviceAuthorization, grant: Grant | None, now: int) -> DeviceAllowed | OAuthError:
    if grant is None or grant.ended_at is not None or now >= grant.expires_at:
        why = "is gone" if grant is None else f"has ended ({grant.end_reason or 'expired'})"
        return OAuthError("access_denied", "The sign-in has ended.", f"grant {request.grant_id} {why}")
    return DeviceAllowed(request, grant)
