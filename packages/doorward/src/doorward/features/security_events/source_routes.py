"""/events/NAME: where another issuer posts its security events (RFC 8935 §2)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.errors import KeysUnavailable
from doorward.features.security_events.receiving import EventReceiver, EventRefused
from doorward.web.http import BodyTooLarge, Request, Response, json_response
from doorward.web.oauth_endpoint import authorization, caller
from doorward.web.route import Operation, Route, machine

PATH: Final = "/events/"
_MOST_BYTES: Final = 64 * 1024
_BAD: Final = "invalid_request"


class SourceEndpoint(Struct, frozen=True, kw_only=True):
    """Handler for one source."""

    name: str
    receiver: EventReceiver

    async def take(self, request: Request) -> Response:
        """Take an event of the issuer of this section of the settings (RFC 8935 §2.1). 202 means that it was obeyed, or means nothing here."""
        if not self.receiver.authorized(self.name, authorization(request)):
            return _error(
                401, "authentication_failed", "The Authorization header is not that of the settings."
            )
        body = await request.body()
        if len(body) > _MOST_BYTES:
            raise BodyTooLarge
        token: object = body.decode("ascii", "replace").strip()
        if self.apple:
            token = (await request.json_object()).get("payload")
        if not isinstance(token, str) or not token:
            return _error(400, _BAD, "Send the token as the body.")
        try:
            await self.receiver.take(self.name, token, caller=caller(request))
        except EventRefused as refused:
            return _error(400, refused.code, f"The event was refused: {refused}.")
        except KeysUnavailable:
            return _error(
                503, "temporarily_unavailable", "The keys of the issuer cannot be had. Send it again."
            )
        # Apple takes 200 alone for success
        return Response(200 if self.apple else 202, [(b"cache-control", b"no-store")])

    @property
    def apple(self) -> bool:
        """Whether the source speaks Apple's dialect."""
        return self.receiver.sources[self.name].kind == "apple"


def _error(status: int, code: str, description: str) -> Response:
    return json_response({"err": code, "description": description}, status)


def routes(receiver: EventReceiver) -> list[Route]:
    """A route for each source."""
    operation = Operation(answers={202: None}, errors=(400, 401, 413, 503))
    return [
        machine(
            f"{PATH}{name}", "POST", SourceEndpoint(name=name, receiver=receiver).take, operation=operation
        )
        for name in receiver.sources
    ]
