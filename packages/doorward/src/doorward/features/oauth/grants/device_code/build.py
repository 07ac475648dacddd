"""Construction of the device authorization grant, and its entry for the token endpoint (RFC 8628 §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.grants.device_code.decision import DeviceGoals
    from doorward.features.oauth.grants.device_code.requests import DeviceRequests
    from doorward.features.oauth.grants.device_code.service import DeviceCodeGrant
    from doorward.features.services import Services


def device_code(services: Services) -> DeviceCodeGrant:
    """The grant's service."""
    from doorward.features.oauth.grants.device_code.rules.polling import PollTimes
    from doorward.features.oauth.grants.device_code.service import DeviceCodeGrant
    from doorward.features.oauth.tokens.build import grant_redemption

    return DeviceCodeGrant(
        store=services.store,
        redemption=services.get(grant_redemption),
        metrics=services.metrics,
        times=PollTimes(),
    )


def device_requests(services: Services) -> DeviceRequests:
    """The requests of devices."""
    from doorward.features.audit.build import audit_log
    from doorward.features.clients.build import client_directory
    from doorward.features.oauth.client_auth.build import client_authenticator
    from doorward.features.oauth.grants.device_code.requests import DeviceRequests
    from doorward.features.rate_limits.build import sign_in_starts, throttle

    return DeviceRequests(
        clients=services.get(client_authenticator),
        store=services.store,
        config=services.config,
        directory=services.get(client_directory),
        random=services.random,
        sealer=services.sealer,
        limiter=services.get(sign_in_starts),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        notices=services.notices,
        issuer=services.issuer,
    )


def device_goals(services: Services) -> DeviceGoals:
    """The goals of sign-ins that devices start."""
    from doorward.features.audit.build import audit_log
    from doorward.features.oauth.grants.device_code.decision import DeviceGoals
    from doorward.features.oauth.tokens.build import new_grants

    return DeviceGoals(
        requests=services.get(device_requests),
        store=services.store,
        config=services.config,
        clock=services.clock,
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        new_grants=services.get(new_grants),
    )


DEVICE_CODE = GrantType(
    name="urn:ietf:params:oauth:grant-type:device_code",
    parameters=("device_code", "resource"),
    build=device_code,
    endpoints={"device_authorization_endpoint": "/device_authorization"},
)
