"""A browser for attack tests: it sends requests that our pages never send, and those that another site's page can cause."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from tests import browsing
from tests.browsing import PASSWORD, Page


class Tab(browsing.Browser):
    """A browser that can also send requests that our pages never send."""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | str | None = None,
        body: bytes | str = b"",
        **headers: str,
    ) -> Page:
        """Send any request; `_` in a header's name stands for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            body = form if isinstance(form, str) else urlencode(form)
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        raw = body.encode() if isinstance(body, str) else body
        return await self._ask(method, path, raw, sent)

    async def foreign_post(self, path: str, form: dict[str, str]) -> Page:
        """Post a form from another site: SameSite=Lax holds our cookies back, cookies in the response are accepted."""
        kept, self.cookies = self.cookies, {}
        page = await self.post(path, form, origin="https://evil.example", site="cross-site")
        for name, value in page.headers:
            if name == "set-cookie" and "Max-Age=0" in value:
                kept.pop(value.partition("=")[0], None)
        self.cookies = {**kept, **self.cookies}
        return page

    async def sign_in_at(self, page: Page, email: str = "ada@example.com", password: str = PASSWORD) -> Page:
        """Fill in the sign-in page that `page` leads to."""
        shown = await self.follow(page)
        return await self.submit(shown, "sign-in", identifier=email, password=password)

    async def on(self, page: Page) -> Page:
        """Follow redirects within this server; an app's address ends the walk."""
        while page.status == 303 and (page.header("location") or "").startswith("/"):
            page = await self.get(page.header("location") or "")
        return page


def sent_to(page: Page) -> str:
    """The target of a redirect, or of the page that ends a POST."""
    if page.status in {302, 303}:
        return page.header("location") or ""
    _, found, rest = page.text.partition('http-equiv="refresh" content="0;url=')
    assert found, f"{page.status} {page.words[:400]}"
    return rest.partition('"')[0].replace("&amp;", "&").replace("&#39;", "'")


def said(page: Page) -> dict[str, str]:
    """The parameters that the app gets; each at most once."""
    pairs = parse_qsl(urlsplit(sent_to(page)).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
