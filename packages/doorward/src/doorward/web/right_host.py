"""Pages opened under another name than the issuer's: a link to the right address replaces forms that cannot work.

In development a GET is redirected, since people type `127.0.0.1` and `localhost` as they please, and the two share no cookies.
"""

from __future__ import annotations

from functools import cache
from typing import Final
from urllib.parse import quote

import structlog
from msgspec import Struct

from doorward.core.web_origin import web_origin
from doorward.web.error_pages import StatusPages
from doorward.web.form_origin import Sent, sent_from
from doorward.web.http import Request, Response, redirect
from doorward.web.pages.views.ends import ErrorPage, Failure

# Apps send people there by forms of their own pages, which may have any origin.
_OF_APPS: Final = frozenset({"/authorize"})
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
MISDIRECTED: Final = 421
"""RFC 9110 §15.5.20."""
log = structlog.get_logger("doorward.forms")


class RightHost(Struct, frozen=True, kw_only=True):
    """Part of the page pipeline. `origin` is the server's as browsers send it, `prefix` the path of the issuer."""

    pages: StatusPages
    origin: str
    prefix: str
    development: bool

    def misdirected(self, request: Request) -> Response | None:
        """The page with the right address, or the redirect to it; None if the request uses it already."""
        return self._where(request) if self._elsewhere(request) else None

    def _elsewhere(self, request: Request) -> bool:
        """For a form the browser reports it. For a GET only Host shows it; since a proxy may change Host, it counts only without a
        proxy, on one machine."""
        if request.method == "POST":
            sent = sent_from(request.header(b"origin"), request.header(b"sec-fetch-site"), self.origin)
            return sent is Sent.ELSEWHERE and request.path not in _OF_APPS
        host = request.header(b"host")
        scheme = self.origin.partition(":")[0]
        aliases = _aliases(self.origin)
        return host is not None and bool(aliases) and web_origin(f"{scheme}://{host}") in aliases

    def _where(self, request: Request) -> Response:
        log.warning(
            "page.wrong_address",
            expected=self.origin,
            received=(request.header(b"origin") or request.header(b"host") or "")[:200],
            path=request.path,
            request_id=request.request_id,
            fix=f"open {self.origin}; behind a proxy, issuer has to be the address that browsers open",
        )
        posted = request.method == "POST"
        query = "" if posted else request.query_string.decode("latin-1")
        there = f"{self.origin}{self.prefix}{quote(request.path)}" + (f"?{query}" if query else "")
        if self.development and not posted:
            return redirect(there)
        view = ErrorPage(Failure.WRONG_HOST, right_url=there, right_host=self.origin, ways=())
        return self.pages.page(request, view, MISDIRECTED)


@cache
def _aliases(origin: str) -> frozenset[str]:
    """The other names under which this machine reaches a server on itself."""
    scheme, _, rest = origin.partition("://")
    name, colon, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
    if not name:
        name, colon, port = rest, "", ""
    if name not in _LOOPBACK:
        return frozenset()
    return frozenset(f"{scheme}://{other}{colon}{port}" for other in _LOOPBACK if other != name)
