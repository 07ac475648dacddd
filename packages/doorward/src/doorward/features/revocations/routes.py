"""Endpoints polled by APIs: the revocation feed, and the status lists of grants. Public like the keys, since they name no one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorward.features.revocations.feed import LONGEST_WAIT, RevocationFeed
from doorward.features.revocations.rules.wire import RevocationPage
from doorward.features.revocations.status_list import StatusListPublisher
from doorward.web.http import JSON_HEADERS, BadForm, Request, Response, json_response
from doorward.web.route import Operation, Route, machine

STATUS_PATH: Final = "/status/"
_MAX_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEndpoints:
    """Handlers of GET /revocations and GET /status/<n>."""

    feed: RevocationFeed
    lists: StatusListPublisher

    async def revocations(self, request: Request) -> Response:
        """What no longer holds: all of it, or what came after a cursor. `after` is the cursor of the last answer; `wait` holds the answer back until something new is there; `v` is the edition."""
        query = request.query()
        after, wait = query.get("after"), _seconds(query.get("wait"))
        match query.get("v"):
            case None | "1":
                body = await self.feed.plain(after, wait)
            case "2":
                body = await self.feed.pages(after, wait)
            case _:
                raise BadForm("v is 2, or left out for the feed as older verifiers read it.")
        return Response(200, JSON_HEADERS, body)

    async def status(self, request: Request) -> Response:
        """A status list token (Token Status List §8.2)."""
        name = request.path[len(STATUS_PATH) :]
        known = name.isascii() and name.isdigit() and len(name) <= _MAX_DIGITS and name == str(int(name))
        token = await self.lists.make(int(name)) if known else None
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
    # isascii: "²" is a digit to Python, but not a number
    if not (text.isascii() and whole.isdigit() and len(text) <= _MAX_DIGITS) or (part and not part.isdigit()):
        raise BadForm(f"wait is a number of seconds from 0 to {LONGEST_WAIT}.")
    return min(float(text), float(LONGEST_WAIT))


def routes(feed: RevocationFeed, lists: StatusListPublisher) -> list[Route]:
    """Routes for all callers, from any origin."""
    endpoints = FeedEndpoints(feed=feed, lists=lists)
    limits = {"wait": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}, "v": {"enum": ["1", "2"]}}
    page = Operation(takes="after wait v", shapes=limits, answers={200: RevocationPage}, errors=(503,))
    status_list = Operation(
        id="statusList",
        rest="number",
        shapes={"number": {"type": "integer", "minimum": 0, "maximum": 10**_MAX_DIGITS - 1}},
        answers={200: {"application/statuslist+jwt": str}},
        errors=(404, 503),
    )
    return [
        machine("/revocations", "GET", endpoints.revocations, cors=True, operation=page),
        machine(STATUS_PATH, "GET", endpoints.status, prefix=True, cors=True, operation=status_list),
    ]
