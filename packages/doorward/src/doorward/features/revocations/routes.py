"""Endpoint polled by APIs: the revocation feed. Public like the keys, since it names no one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorward.features.revocations.feed import LONGEST_WAIT, RevocationFeed
from doorward.features.revocations.rules.wire import RevocationPage
from doorward.web.http import JSON_HEADERS, BadForm, Request, Response
from doorward.web.route import Operation, Route, machine

_MAX_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEndpoints:
    """Handler of GET /revocations."""

    feed: RevocationFeed

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
    page = Operation(takes="after wait v", shapes=limits, answers={200: RevocationPage}, errors=(503,))
    return [machine("/revocations", "GET", endpoints.revocations, cors=True, operation=page)]
