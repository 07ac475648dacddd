"""/sign-in/provider/NAME/backchannel-logout: where a provider says that a session there has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.core.ports.clock import Clock
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.providers.provider import ProviderUnavailable
from doorward.features.authn.providers.upstream_logout import ProviderLogout
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import caller
from doorward.web.route import Operation, Route, machine

_DONE: Final = [(b"cache-control", b"no-store")]


def back_channel_path(name: str) -> str:
    """The path at which this provider's logout tokens are taken."""
    return f"{PROVIDER_PATH}/{name}/backchannel-logout"


def back_channel_routes(logout: ProviderLogout, clock: Clock) -> Sequence[Route]:
    """A route for each OpenID provider (Back-Channel Logout 1.0 §2.5, §2.8)."""
    return [_route(name, logout, clock) for name in logout.providers]


def _route(name: str, logout: ProviderLogout, clock: Clock) -> Route:
    async def take(request: Request) -> Response:
        """End the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0): 200 once they have ended."""
        form = await request.form()
        try:
            why = await logout.end(
                name, form.get("logout_token", ""), caller=caller(request), now=clock.now()
            )
        except ProviderUnavailable:
            return _error(503, "temporarily_unavailable", "The keys of the provider cannot be read.")
        return (
            Response(200, _DONE)
            if why is None
            else _error(400, "invalid_request", f"The token is refused: {why}.")
        )

    operation = Operation(takes="logout_token", required="logout_token", errors=(400, 503))
    return machine(back_channel_path(name), "POST", take, operation=operation)


def _error(status: int, code: str, description: str) -> Response:
    return json_response({"error": code, "error_description": description}, status)
