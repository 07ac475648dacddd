"""Browser without scripts: cookies, redirects, forms, and meta refresh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin

import httpx2

from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.page import Page
from doorward_demo.demo.drive.wire import Note, Wire, shown_address

_MOST_STEPS: Final = 12


class Browser:
    """One browser with its own cookies, on one server. Redirects to other hosts are returned and not followed."""

    def __init__(self, home: str, note: Note) -> None:
        self._home = home
        self._wire = Wire(note)
        self.at = home
        self.page = Page("")
        self.left_for: str | None = None

    def go(self, url: str) -> Page:
        """Open an address and follow its redirects. Raises `NotAsItShouldBe`."""
        return self._arrive(self._wire.send("GET", url), url)

    def submit(self, form_id: str, values: Mapping[str, str]) -> Page:
        """Fill in a form of the current page and press its button. Raises `NotAsItShouldBe`."""
        form = self.page.form(form_id)
        if form is None:
            fail(f"a page with the form «{form_id}»", self.described())
        url = urljoin(self.at, form.action)
        sent = {name: value for name, value in form.fields.items() if name} | dict(values)
        return self._arrive(self._wire.send("POST", url, form=sent), url)

    def arrived_at(self, form_id: str) -> None:
        """Raises `NotAsItShouldBe` unless the current page has that form."""
        expect(self.page.form(form_id) is not None, f"a page with the form «{form_id}»", self.described())

    def described(self) -> str:
        """The current page as text, to find an error."""
        if self.left_for is not None:
            return f"a redirect to {shown_address(self.left_for)}"
        problem = f": {self.page.problem}" if self.page.problem else ""
        return f"the page «{self.page.title.strip()}» at {shown_address(self.at)}{problem}"

    def close(self) -> None:
        """Delete all cookies and close the connections."""
        self._wire.close()

    def _arrive(self, answer: httpx2.Response, url: str) -> Page:
        self.left_for = None
        steps = 0
        while True:
            self.at = url
            onward = answer.headers.get("location") if answer.is_redirect else None
            if onward is None:
                self.page = Page(answer.text)
                onward = self.page.refresh
            if not onward:
                return self.page
            url = urljoin(url, onward)
            if not url.startswith(f"{self._home}/"):
                self.left_for = url
                return self.page
            steps += 1
            expect(steps < _MOST_STEPS, "an end to the redirects", f"{steps} in a row")
            answer = self._wire.send("GET", url)
