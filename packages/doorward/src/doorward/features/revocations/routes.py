"""Endpoint polled by APIs: the revocation feed. Public like the keys, since it names no one."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.features.revocations.feed import LONGEST_WAIT, RevocationFeed
from doorward.features.revocations.rules.snapshot import LIFE
from doorward.features.revocations.rules.wire import RevocationPage
from doorward.web.http import JSON_HEADERS, BadForm, Request, Response, json_response
from doorward.web.route import Operation, Route, machine

SNAPSHOTS: Final = "/revocations/snapshots/"
_MAX_DIGITS: Final = 12


class FeedEndpoints(Struct, frozen=True, kw_only=True):
    """Handlers of GET /revocations and GET /revocations/snapshots/<name>."""

    feed: RevocationFeed

    async def revocations(self, request: Request) -> Response:
        """What no longer holds: all of it, or what came after a cursor. `after` is the cursor of the last answer; `wait` holds the answer back until something new is there; `v` is the edition. `audience` is the API that asks, which then hears only what concerns it; with `snapshots=1` a big view begins with snapshots."""
        query = request.query()
        after, wait = query.get("after"), _seconds(query.get("wait"))
        match query.get("v"):
            case None | "1":
                body = await self.feed.plain(after, wait)
            case "2":
                wanted = query.get("snapshots") == "1"
                body = await self.feed.pages(after, wait, audience=query.get("audience"), snapshots=wanted)
            case _:
                raise BadForm("v is 2, or left out for the feed as older verifiers read it.")
        return Response(200, JSON_HEADERS, body)

    async def snapshot(self, request: Request) -> Response:
        """All that was revoked up to one minute, for a verifier that starts. Its address stands in the feed; caches may keep it."""
        part = await self.feed.snapshot(request.path[len(SNAPSHOTS) :])
        if part is None:
            said = "There is no such snapshot now; the feed names the present ones."
            return json_response({"error": "not_found", "error_description": said}, 404)
        return Response(
            200,
            [
                (b"content-type", b"application/octet-stream"),
                (b"cache-control", b"public, max-age=%d, immutable" % LIFE),
                (b"etag", b'"%s"' % part.etag.encode()),
            ],
            part.file,
        )


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    whole, _, part = text.partition(".")
    # isascii: "²" is a digit to Python, but not a number
    if not (text.isascii() and whole.isdigit() and len(text) <= _MAX_DIGITS) or (part and not part.isdigit()):
        raise BadForm(f"wait is a number of seconds from 0 to {LONGEST_WAIT}.")
    return min(float(text), float(LONGEST_WAIT))


def routes(feed: RevocationFeed) -> list[Route]:
    """Routes for all callers, from any origin."""
    endpoints = FeedEndpoints(feed=feed)
    limits = {"wait": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}, "v": {"enum": ["1", "2"]}}
    limits |= {"snapshots": {"enum": ["0", "1"]}}
    page = Operation(
        takes="after wait v audience snapshots", shapes=limits, answers={200: RevocationPage}, errors=(503,)
    )
    file = Operation(
        id="revocationSnapshot",
        rest="name",
        answers={200: {"application/octet-stream": bytes}},
        errors=(404, 503),
        cached=True,
    )
    return [
        machine("/revocations", "GET", endpoints.revocations, cors=True, operation=page),
        machine(SNAPSHOTS, "GET", endpoints.snapshot, prefix=True, cors=True, operation=file),
    ]
