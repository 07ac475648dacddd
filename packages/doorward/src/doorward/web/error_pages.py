"""The page for a status that no handler answered: says what is wrong, gives the request id and a way on."""

from __future__ import annotations

from typing import Final

from doorward.web.cookies import CookieJar
from doorward.web.http import Request, Response
from doorward.web.page import html
from doorward.web.pages import language
from doorward.web.pages.views.context import PageContext
from doorward.web.pages.views.ends import ErrorPage, Failure, Way

_KINDS: Final = {
    400: Failure.BAD_REQUEST,
    404: Failure.NOT_FOUND,
    405: Failure.METHOD_NOT_ALLOWED,
    413: Failure.TOO_LARGE,
    429: Failure.UNAVAILABLE,
    503: Failure.UNAVAILABLE,
}


class StatusPages:
    """Needs no database: it is shown when there is none."""

    def __init__(self, *, jar: CookieJar, issuer: str, brand_name: str, default_locale: str) -> None:
        self._jar = jar
        self._issuer = issuer
        self._brand = brand_name
        self._locale = default_locale

    async def show(self, request: Request, status: int) -> Response:
        """The page; no form of ours stands on it, so it carries no token and sets no cookie."""
        locale = language.choose(
            cookie=self._jar.read(request.cookies(), "locale"),
            accept_language=request.header(b"accept-language"),
            default=self._locale,
        )
        context = PageContext(
            locale=locale,
            csrf_token="",
            brand_name=self._brand,
            issuer=self._issuer,
            request_id=request.request_id,
        )
        kind = _KINDS.get(status, Failure.SERVER_ERROR)
        if status == 503 and request.method == "POST":
            kind = Failure.UNAVAILABLE_FORM
        view = ErrorPage(kind, ways=(Way.HOME, Way.SIGN_IN))
        return html(view, context, status)
