"""What APIs poll: the revocation feed, and the status lists of grants. Public like the keys: only opaque ids are in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, final

import msgspec

from doorward.actions.revocation_feed import LONGEST_WAIT, RevocationFeed
from doorward.actions.status_list import StatusList
from doorward.web.http import JSON_HEADERS, BadForm, Request, Response, Route, json_response, route

STATUS_PATH: Final = "/status/"
_MAX_DIGITS: Final = 12


@final
class Encoded:
    """The last whole document as bytes: with many entries, encoding is what it costs to answer."""

    __slots__ = ("_body", "_document")

    def __init__(self) -> None:
        self._document: object = None
        self._body = b""

    def of(self, document: dict[str, Any]) -> bytes:
        """Encoded once for as long as it is the same object; nobody changes it."""
        if document is not self._document:
            self._document, self._body = document, msgspec.json.encode(document)
        return self._body


@dataclass(frozen=True, slots=True)
class FeedEndpoints:
    """GET /revocations and GET /status/<n>."""

    feed: RevocationFeed
    lists: StatusList
    encoded: Encoded = field(default_factory=Encoded)

    async def revocations(self, request: Request) -> Response:
        """`after` is the cursor of the last answer; `wait` holds the answer back until something new is there."""
        query = request.query()
        document = await self.feed(query.get("after"), _seconds(query.get("wait")))
        if document["reset"]:
            return Response(200, JSON_HEADERS, self.encoded.of(document))
        return json_response(document)

    async def status(self, request: Request) -> Response:
        """The status list token (Token Status List §8.2)."""
        name = request.path[len(STATUS_PATH) :]
        known = name.isascii() and name.isdigit() and len(name) <= _MAX_DIGITS and name == str(int(name))
        token = await self.lists(int(name)) if known else None
        if token is None:
            return json_response(
                {"error": "not_found", "error_description": "There is no such status list."}, 404
            )
        return Response(
            200,
            [
                (b"content-type", b"application/statuslist+jwt"),
                (b"cache-control", b"public, max-age=%d" % self.lists.policy.status_list_ttl),
            ],
            token.encode("ascii"),
        )


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    whole, _, part = text.partition(".")
    # isascii: "²" is a digit to Python, and no number
    if not (text.isascii() and whole.isdigit() and len(text) <= _MAX_DIGITS) or (part and not part.isdigit()):
        raise BadForm(f"wait is a number of seconds from 0 to {LONGEST_WAIT}.")
    return min(float(text), float(LONGEST_WAIT))


def routes(feed: RevocationFeed, lists: StatusList) -> list[Route]:
    """For everybody, from any origin."""
    endpoints = FeedEndpoints(feed, lists)
    return [
        route("/revocations", "GET", endpoints.revocations, cors=True),
        route(STATUS_PATH, "GET", endpoints.status, prefix=True, cors=True),
    ]
