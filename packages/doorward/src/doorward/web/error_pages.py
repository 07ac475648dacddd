"""Error page for a status without a handler: the problem, the request id and a way on."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.web.cookies import CookieJar
from doorward.web.http import Request, Response
from doorward.web.page import html
from doorward.web.pages import language
from doorward.web.pages.views.context import PageContext, View
from doorward.web.pages.views.ends import ErrorPage, Failure, Way

_KINDS: Final = {
    400: Failure.BAD_REQUEST,
    404: Failure.NOT_FOUND,
    405: Failure.METHOD_NOT_ALLOWED,
    413: Failure.TOO_LARGE,
    429: Failure.UNAVAILABLE,
    503: Failure.UNAVAILABLE,
}


class StatusPages(Struct, frozen=True, kw_only=True):
    """Needs no database, so that it works during an outage."""

    jar: CookieJar
    issuer: str
    brand_name: str
    default_locale: str

    async def show(self, request: Request, status: int) -> Response:
        """The page of a status."""
        kind = _KINDS.get(status, Failure.SERVER_ERROR)
        if status == 503 and request.method == "POST":
            kind = Failure.UNAVAILABLE_FORM
        return self.page(request, ErrorPage(kind, ways=(Way.HOME, Way.SIGN_IN)), status)

    def page(self, request: Request, view: View, status: int) -> Response:
        """A page without forms, so that it carries no token and sets no cookie."""
        locale = language.choose(
            cookie=self.jar.read(request.cookies(), "locale"),
            accept_language=request.header(b"accept-language"),
            default=self.default_locale,
        )
        context = PageContext(
            locale=locale,
            csrf_token="",
            brand_name=self.brand_name,
            issuer=self.issuer,
            request_id=request.request_id,
        )
        return html(view, context, status)
