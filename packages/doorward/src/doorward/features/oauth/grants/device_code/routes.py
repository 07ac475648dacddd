"""Device authorization endpoint (RFC 8628 §3.1)."""

from __future__ import annotations

from typing import Final

from doorward.core.ports.clock import Clock
from doorward.features.oauth.grants.device_code.requests import DeviceAuthorizationResponse, DeviceRequests
from doorward.web.http import json_response
from doorward.web.oauth_endpoint import client_endpoint
from doorward.web.route import Operation, Route

PATH: Final = "/device_authorization"


def routes(*, requests: DeviceRequests, clock: Clock, issuer: str) -> list[Route]:
    """POST /device_authorization, for apps with and without a credential."""
    operation = Operation(
        summary="Codes for a device without a browser (RFC 8628 §3.2), or an OAuth error",
        takes="scope resource acr_values max_age",
        security="app",
        answers={200: DeviceAuthorizationResponse},
    )
    return [client_endpoint(issuer, PATH, requests.begin, json_response, clock=clock, operation=operation)]
