"""Double clicks: a form that is posted twice is processed once, and both posts get the same response."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec
from msgspec import Struct

from doorward.core.model.digest import digest
from doorward.core.ports.keys import Sealer
from doorward.features.repeated_posts import rules as repeat
from doorward.features.repeated_posts.rules import Kept
from doorward.features.repeated_posts.service import PostOnce
from doorward.web.cookies import CookieJar, CookieKind
from doorward.web.http import Request, Response
from doorward.web.page_pipeline import Work

_PURPOSE: Final = "answered post"
_Parts = tuple[int, list[tuple[bytes, bytes]], bytes]
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Parts)


class Once(Struct, frozen=True, kw_only=True):
    """Part of the page pipeline, so that handlers need no code for it."""

    jar: CookieJar
    sealer: Sealer
    posts: PostOnce

    async def answer(
        self, request: Request, browser: str | None, form: dict[str, str] | None, work: Work
    ) -> Response:
        """The response of `work`, or the stored one of the same post a moment ago. `browser` is the cookie of the request; `form` is
        None for a request without a form of this server, which is processed each time."""
        browser = browser or ""
        post = None
        if form is not None and repeat.told_apart(form.get("once")):
            post = await self._name(request, browser)
        session = self._hash(self.jar.read(request.cookies(), "session"))
        first: bytes | bool = False
        if post is not None:
            first = await self.posts.first(browser, post, session, address=request.client_address)
        if isinstance(first, bytes):
            return _thawed(first)
        if post is None or not first:
            response = await work()
            if self._set(response, "browser") == "":
                # a sign-out clears the browser cookie
                await self.posts.forget(browser)
            return response
        try:
            response = await work()
        except BaseException:
            await self.posts.drop(browser, post)
            raise
        if response.status >= 500:
            await self.posts.drop(browser, post)
        else:
            # before other code adds headers
            value = self._set(response, "session")
            after = session if value is None else self._hash(value)
            await self.posts.keep(browser, post, Kept(_frozen(response), session, after))
        return response

    async def _name(self, request: Request, browser: str) -> str:
        """A keyed hash of everything in which two identical posts agree."""
        body = (await request.body()).decode("latin-1")
        where = f"{request.path}?{request.query_string.decode('latin-1')}"
        return self.sealer.tag(_PURPOSE, f"{browser}\n{where}\n{body}")

    def _set(self, response: Response, kind: CookieKind) -> str | None:
        start = f"{self.jar.name(kind)}=".encode()
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
