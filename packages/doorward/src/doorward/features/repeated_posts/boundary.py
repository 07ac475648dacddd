"""The boundary of every page that takes a form: a double click on its button is one deed with one answer."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import structs

from doorward.core.model.digest import digest
from doorward.core.ports.keys import Sealer
from doorward.features.rate_limits.rules.sign_in_starts import Begun
from doorward.features.repeated_posts import rules as repeat
from doorward.features.repeated_posts.rules import Kept
from doorward.features.repeated_posts.service import PostOnce
from doorward.features.sessions.browser_context import Visitors
from doorward.web.cookies import CookieKind
from doorward.web.http import BadForm, Handler, Request, Response, Route

_PURPOSE: Final = "answered post"
_Parts = tuple[int, list[tuple[bytes, bytes]], bytes]
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Goes around the handlers of pages, so that none has to think of it. `posts_of` bounds what one network makes us write: beyond
    it, each post is worked on, as if there were no second."""

    visitors: Visitors
    sealer: Sealer
    posts: PostOnce
    posts_of: Begun = field(default_factory=Begun)

    def around(self, item: Route) -> Route:
        """The route, if it is a page that takes a form, with this around its handler."""
        if not item.page or "POST" not in item.methods:
            return item
        handler = item.handler

        async def answer(request: Request) -> Response:
            return await self._answer(handler, request)

        return structs.replace(item, handler=answer)

    async def _answer(self, handler: Handler, request: Request) -> Response:
        browser = self.visitors.browser_of(request) or ""
        post = await self._same(browser, request) if request.method == "POST" else None
        if post is None:
            response = await handler(request)
            if self._leaves(response):
                await self.posts.forget(browser)
            return response
        session = self._hash(self.visitors.jar.read(request.cookies(), "session"))
        first = await self.posts.first(browser, post, session)
        if isinstance(first, bytes):
            return _thawed(first)
        if not first:
            return await handler(request)
        try:
            response = await handler(request)
        except BaseException:
            await self.posts.drop(browser, post)
            raise
        if response.status >= 500:
            await self.posts.drop(browser, post)
        else:
            # before anything else adds to its headers
            await self.posts.keep(
                browser, post, Kept(_frozen(response), session, self._left(response, session))
            )
        return response

    async def _same(self, browser: str, request: Request) -> str | None:
        """What two posts have to have in common to be the same; None for what did not come from a form of ours, or does not say which.
        Raises `BodyTooLarge`."""
        try:
            form = await request.form()
        except BadForm:
            return None
        if not repeat.told_apart(form.get("once")) or not self.visitors.ours(request, form, browser):
            return None
        now = self.visitors.clock.now()
        if self.posts_of.full(request.client_address, now) is not None:
            return None
        self.posts_of.note(request.client_address, now)
        body = (await request.body()).decode("latin-1")
        where = f"{request.path}?{request.query_string.decode('latin-1')}"
        return self.sealer.tag(_PURPOSE, f"{browser}\n{where}\n{body}")

    def _left(self, response: Response, session: bytes | None) -> bytes | None:
        """The hash of the session's cookie that the browser has after this answer."""
        value = self._set(response, "session")
        return session if value is None else self._hash(value)

    def _leaves(self, response: Response) -> bool:
        """Whether the answer takes the browser's cookie away, as a sign-out does."""
        return self._set(response, "browser") == ""

    def _set(self, response: Response, kind: CookieKind) -> str | None:
        start = f"{self.visitors.jar.name(kind)}=".encode()
        for name, line in reversed(response.headers):
            if name == b"set-cookie" and line.startswith(start):
                return line[len(start) :].partition(b";")[0].decode("latin-1")
        return None

    def _hash(self, secret: str | None) -> bytes | None:
        return digest(secret) if secret else None


def _frozen(response: Response) -> bytes:
    return zlib.compress(_encode((response.status, response.headers, response.body)), 6)


def _thawed(kept: bytes) -> Response:
    status, headers, body = _decoder.decode(zlib.decompress(kept))
    return Response(status, headers, body)
