"""Endpoints of streams (SSF 1.0 §7, §8.1, RFC 8936)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final

from msgspec import Struct
from msgspec.json import encode

from doorward.adapters.http_client import host_of
from doorward.core.model.client import Client
from doorward.core.model.security_event import EventStream
from doorward.features.security_events.access import PATH, StreamAccess
from doorward.features.security_events.polling import Polling
from doorward.features.security_events.problem import StreamRefused
from doorward.features.security_events.rules import poll_request
from doorward.features.security_events.rules import stream_request as rule
from doorward.features.security_events.rules.poll_request import PollAnswer
from doorward.features.security_events.rules.stream_request import BadStream, StreamDocument
from doorward.features.security_events.streams import Noted, Streams
from doorward.web.http import JSON_HEADERS, BadForm, BodyTooLarge, Request, Response, json_response
from doorward.web.oauth_endpoint import authorization, caller
from doorward.web.route import Operation, Route, machine

STREAM: Final = f"{PATH}/stream"
STATUS: Final = f"{PATH}/status"
VERIFY: Final = f"{PATH}/verify"
POLL: Final = f"{PATH}/poll/"
CONFIGURATION: Final = "/.well-known/ssf-configuration"
_MAX_AGE: Final = 300
_MOST_BYTES: Final = 64 * 1024
_CHALLENGED: Final = frozenset({401, 403})


class StatusDocument(Struct, omit_defaults=True):
    """The status of a stream (SSF 1.0 §8.1.2)."""

    stream_id: str
    status: str
    reason: str | None = None


class TransmitterConfiguration(Struct):
    """Where streams are managed (SSF 1.0 §7.1)."""

    spec_version: str
    issuer: str
    jwks_uri: str
    delivery_methods_supported: list[str]
    configuration_endpoint: str
    status_endpoint: str
    verification_endpoint: str
    authorization_schemes: list[dict[str, str]]
    default_subjects: str


Handler = Callable[["StreamEndpoints", Request], Awaitable[Response]]


def _refusing(handler: Handler) -> Handler:
    """Answer a refused request with its status."""

    @wraps(handler)
    async def answer(endpoints: StreamEndpoints, request: Request) -> Response:
        try:
            return await handler(endpoints, request)
        except BadStream as problem:
            return _refused(StreamRefused(400, "invalid_request", str(problem)))
        except StreamRefused as refused:
            return _refused(refused)

    return answer


class StreamEndpoints(Struct, frozen=True, kw_only=True):
    """Handlers for apps."""

    streams: Streams
    polling: Polling
    access: StreamAccess
    issuer: str
    development: bool

    async def configuration(self, request: Request) -> Response:
        """The transmitter's metadata (SSF 1.0 §7.1)."""
        del request
        said = TransmitterConfiguration(
            spec_version="1_0",
            issuer=self.issuer,
            jwks_uri=f"{self.issuer}/jwks",
            delivery_methods_supported=[rule.PUSH, rule.POLL],
            configuration_endpoint=f"{self.issuer}{STREAM}",
            status_endpoint=f"{self.issuer}{STATUS}",
            verification_endpoint=f"{self.issuer}{VERIFY}",
            authorization_schemes=[{"spec_urn": "urn:ietf:rfc:6749"}],
            # of all people who use the app: there is no list to keep (§8.1.3)
            default_subjects="ALL",
        )
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"public, max-age=%d" % _MAX_AGE),
        ]
        return Response(200, headers, encode(said))

    @_refusing
    async def create(self, request: Request) -> Response:
        """Create a stream (SSF 1.0 §8.1.1.1)."""
        app = await self._app(request, manage=True)
        wishes = rule.wishes(await _document(request), development=self.development)
        await self._check_place(wishes.push_to)
        made = await self.streams.create(app.id, wishes, self._noted(app, request))
        return json_response(self._shown(made), 201)

    @_refusing
    async def read(self, request: Request) -> Response:
        """One stream, or all of the app (SSF 1.0 §8.1.1.2)."""
        app = await self._app(request, manage=False)
        stream_id = request.query().get("stream_id")
        if stream_id is None:
            return json_response([self._shown(one) for one in await self.streams.all_of(app.id)])
        return json_response(self._shown(await self.streams.of(app.id, stream_id)))

    @_refusing
    async def update(self, request: Request) -> Response:
        """Change what the request names (SSF 1.0 §8.1.1.3)."""
        return await self._changed(request, whole=False)

    @_refusing
    async def replace(self, request: Request) -> Response:
        """Replace the stream: what the request does not name takes its default (SSF 1.0 §8.1.1.4)."""
        return await self._changed(request, whole=True)

    @_refusing
    async def delete(self, request: Request) -> Response:
        """Delete a stream, with the events that wait in it (SSF 1.0 §8.1.1.5)."""
        app = await self._app(request, manage=True)
        await self.streams.delete(app.id, _query_id(request), self._noted(app, request))
        return Response(204, [(b"cache-control", b"no-store")])

    @_refusing
    async def status(self, request: Request) -> Response:
        """The status of a stream (SSF 1.0 §8.1.2.1)."""
        app = await self._app(request, manage=False)
        return _status(await self.streams.of(app.id, _query_id(request)))

    @_refusing
    async def set_status(self, request: Request) -> Response:
        """Enable, pause or disable a stream (SSF 1.0 §8.1.2.2)."""
        app = await self._app(request, manage=True)
        said = await _document(request)
        status, reason = rule.status_wish(said)
        noted = self._noted(app, request)
        changed = await self.streams.set_status(app.id, _named(said), status, reason, noted, by_receiver=True)
        return _status(changed)

    @_refusing
    async def verify(self, request: Request) -> Response:
        """Ask for a verification event, with or without a state (SSF 1.0 §8.1.4.2)."""
        app = await self._app(request, manage=False)
        said = await _document(request)
        await self.streams.verify(await self.streams.of(app.id, _named(said)), rule.state_wish(said))
        return Response(204, [(b"cache-control", b"no-store")])

    @_refusing
    async def poll(self, request: Request) -> Response:
        """Events of a stream, and acknowledgements of earlier ones (RFC 8936 §2)."""
        app = await self._app(request, manage=False)
        stream = await self.streams.of(app.id, request.path.removeprefix(POLL))
        if stream.delivery != "poll":
            raise StreamRefused(400, "invalid_request", "The events of this stream are pushed.")
        answer = await self.polling.poll(stream, poll_request.poll(await _document(request)))
        return Response(200, JSON_HEADERS, encode(answer))

    async def _changed(self, request: Request, *, whole: bool) -> Response:
        app = await self._app(request, manage=True)
        said = await _document(request)
        current = await self.streams.of(app.id, _named(said))
        rule.check_unchanged(said, self._shown(current))
        if whole:
            said = {
                "events_requested": list(rule.SUPPORTED),
                "description": "",
                "delivery": {"method": rule.POLL},
            } | said
        wishes = rule.wishes(said, development=self.development)
        if wishes.push_to != current.endpoint_url:
            await self._check_place(wishes.push_to)
        return json_response(
            self._shown(await self.streams.change(app.id, current.id, wishes, self._noted(app, request)))
        )

    async def _check_place(self, url: str | None) -> None:
        # the operator named a host, for the receiver of one app: no app chooses its port and path
        if url is not None and await host_of(url) in self.streams.policy.private_hosts:
            raise StreamRefused(
                400,
                "invalid_request",
                "Only an operator sends events to this host: doorward stream add APP --push URL.",
            )

    async def _app(self, request: Request, *, manage: bool) -> Client:
        scheme, _, token = (authorization(request) or "").partition(" ")
        return await self.access.app(token.strip() if scheme.lower() == "bearer" else None, manage=manage)

    def _noted(self, app: Client, request: Request) -> Noted:
        return self.streams.noted_by_app(app.id, caller(request))

    def _shown(self, stream: EventStream) -> StreamDocument:
        return rule.document(
            stream,
            issuer=self.issuer,
            poll_url=f"{self.issuer}{POLL}{stream.id}",
            verification_interval=self.streams.policy.verification_interval,
        )


async def _document(request: Request) -> dict[str, object]:
    if len(await request.body()) > _MOST_BYTES:
        raise BodyTooLarge
    return await request.json_object()


def _named(said: dict[str, object]) -> str:
    stream_id = said.get("stream_id")
    if not isinstance(stream_id, str):
        raise BadForm("stream_id is missing.")
    return stream_id


def _query_id(request: Request) -> str:
    stream_id = request.query().get("stream_id")
    if stream_id is None:
        raise BadForm("stream_id is missing.")
    return stream_id


def _status(stream: EventStream) -> Response:
    return json_response(StatusDocument(stream_id=stream.id, status=stream.status, reason=stream.reason))


def _refused(refused: StreamRefused) -> Response:
    body = {"error": refused.code, "error_description": refused.description}
    response = json_response(body, refused.status)
    if refused.status in _CHALLENGED:
        response.add("www-authenticate", f'Bearer error="{refused.code}"')
    if refused.retry_after is not None:
        response.add("retry-after", str(refused.retry_after))
    return response


def routes(endpoints: StreamEndpoints) -> list[Route]:
    """Routes for apps; the metadata are open to all."""

    def of(
        id_: str,
        status: int,
        answer: object,
        *errors: int,
        takes: str = "",
        required: str = "",
        rest: str = "",
    ) -> Operation:
        return Operation(
            security="bearer",
            answers={status: answer},
            errors=(400, 401, 403, *errors, 503),
            takes=takes,
            required=required,
            rest=rest,
            id=id_,
        )

    known = Operation(answers={200: TransmitterConfiguration}, cached=True)
    return [
        machine(CONFIGURATION, "GET", endpoints.configuration, cors=True, operation=known),
        machine(STREAM, "POST", endpoints.create, operation=of("createEventStream", 201, StreamDocument, 409, 413)),
        machine(STREAM, "GET", endpoints.read, operation=of("readEventStreams", 200, StreamDocument, 404, takes="stream_id")),
        machine(STREAM, "PATCH", endpoints.update, operation=of("updateEventStream", 200, StreamDocument, 404, 413)),
        machine(STREAM, "PUT", endpoints.replace, operation=of("replaceEventStream", 200, StreamDocument, 404, 413)),
        machine(STREAM, "DELETE", endpoints.delete, operation=of("deleteEventStream", 204, None, 404, takes="stream_id", required="stream_id")),
        machine(STATUS, "GET", endpoints.status, operation=of("eventStreamStatus", 200, StatusDocument, 404, takes="stream_id", required="stream_id")),
        machine(STATUS, "POST", endpoints.set_status, operation=of("setEventStreamStatus", 200, StatusDocument, 404, 413)),
        machine(VERIFY, "POST", endpoints.verify, operation=of("verifyEventStream", 204, None, 404, 413, 429)),
        machine(POLL, "POST", endpoints.poll, prefix=True, operation=of("pollEventStream", 200, PollAnswer, 404, 413, rest="stream_id")),
    ]  # fmt: skip
