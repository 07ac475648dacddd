"""Base of the pages of a sign-in on which an address is typed, and then the code that was sent there."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from doorward.core.abstract_struct import AbstractStruct
from doorward.features.authn.flow.pages import FlowPages, ticket_of, with_flow
from doorward.features.sessions.browser_context import BrowserPages, PagePost, PageVisit, StalePost
from doorward.web.http import Response
from doorward.web.route import Route


class AddressAndCodePages(AbstractStruct, frozen=True, kw_only=True):
    """`path` is that of the page for the address; below it are the page for the code and the form for another one. A code that was sent is
    named by its `ticket` in the address of the page, so that a reload asks for the same one."""

    path: ClassVar[str]
    ask_takes: ClassVar[str] = "flow"
    """The parameters of the page for the address."""
    flow: FlowPages

    @abstractmethod
    async def ask(self, visit: PageVisit) -> Response:
        """The form for the address. Viewing it sends nothing."""

    @abstractmethod
    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""

    @abstractmethod
    async def answer(self, post: PagePost) -> Response:
        """Send a code to the address."""

    @abstractmethod
    async def check(self, visit: PageVisit) -> Response:
        """The form for the code: the same words whatever was sent."""

    @abstractmethod
    async def check_again(self, post: StalePost) -> Response:
        """The same form once more, in the browser that asked for the code."""

    @abstractmethod
    async def check_code(self, post: PagePost) -> Response:
        """Enter the code."""

    @abstractmethod
    async def resend(self, post: PagePost) -> Response:
        """Send another code; the earlier one stops working."""

    async def resent(self, visit: PageVisit) -> Response:
        """Leads to the page for the code, after a reload."""
        ticket = ticket_of(visit.query)
        path = self.path if ticket is None else f"{self.path}/check?ticket={ticket}"
        return visit.browser.go(with_flow(path, visit.query.get("flow")))

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of these pages and forms."""
        path, check, resend = self.path, f"{self.path}/check", f"{self.path}/resend"
        return [
            pages.get(path, self.ask, takes=self.ask_takes),
            pages.post(path, self.answer, refused=self.ask_again, takes="flow email"),
            pages.get(check, self.check, takes="flow ticket resent"),
            pages.post(check, self.check_code, refused=self.check_again, takes="flow code"),
            pages.get(resend, self.resent, takes="flow ticket"),
            pages.post(resend, self.resend, refused=self.check_again, takes="flow"),
        ]
