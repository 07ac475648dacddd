"""Page pipeline: what is checked before a page's handler is entered, and the values that prove it to the handler.

A handler of a POST takes a `VerifiedPost`, which nothing but this file can make: whoever adds a page cannot forget the check. A form
that fails it goes to the page's other handler as a `RefusedPost`, which shows the form again with what was typed, and has no power to act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, Generic, Protocol, TypeVar, final

from msgspec import Struct

from doorward.web.browser import PageRequest, link
from doorward.web.csrf import Fault, FormGuard
from doorward.web.http import BadForm, EarlyResponse, Request, Response, redirect
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.right_host import RightHost
from doorward.web.route import CSRF, ORIGIN, Handler, Operation, Route, RouteKind, method_set

B = TypeVar("B", bound=PageRequest)
B_co = TypeVar("B_co", bound=PageRequest, covariant=True)
Work = Callable[[], Awaitable[Response]]
_MINT: Final = object()


@final
class Visit(Struct, Generic[B], frozen=True):
    """A GET of a page: the browser, and the parameters of the query."""

    browser: B
    query: dict[str, str]


@final
class RefusedPost(Struct, Generic[B], frozen=True):
    """A form that was not used: it did not come from our own page in this browser. It may be shown again, and nothing else."""

    browser: B
    form: dict[str, str]
    problem: Problem
    """What the page says first."""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address. Raises `BadForm`."""
        return self.browser.request.query()


@final
class VerifiedPost(Generic[B]):
    """A form whose token is this browser's and which came from our origin (ASVS 3.5.1). Only this file makes one."""

    __slots__ = ("browser", "form")

    def __init__(self, browser: B, form: dict[str, str], mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only the page pipeline makes a VerifiedPost, after its checks")
        self.browser = browser
        self.form = form

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address. Raises `BadForm`."""
        return self.browser.request.query()


@final
class AppRequest(Struct, Generic[B], frozen=True):
    """A request that an app's page sent a person with, by GET or POST alike. It proves nothing, so a POST may do no more than a GET."""

    browser: B
    params: dict[str, str]


class Recognizer(Protocol[B_co]):
    """Says who asks for a page."""

    def secret_of(self, request: Request) -> str | None:
        """The cookie that the browser is known by, if the request brought one."""
        ...

    async def meet(self, request: Request) -> B_co:
        """The browser of a request, and whatever else a feature knows of it."""
        ...


class RepeatedPosts(Protocol):
    """Sees to it that a form that is posted twice is worked on once."""

    async def answer(
        self, request: Request, browser: str | None, form: dict[str, str] | None, work: Work
    ) -> Response:
        """The answer that `work` makes, or made for the same post a moment ago. `browser` is the cookie that came with the request;
        `form` is None for what is no form of ours: it is worked on each time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[B]):
    """The form of our own that answers an app request at the same address, told by one of its fields."""

    field: str
    value: str
    handler: Callable[[VerifiedPost[B]], Awaitable[Response]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Generic[B]):
    """Makes the routes of pages. One for the whole server."""

    browsers: Recognizer[B]
    guard: FormGuard
    repeated: RepeatedPosts
    host: RightHost

    def get(
        self,
        path: str,
        handler: Callable[[Visit[B]], Awaitable[Response]],
        *,
        unreadable: Callable[[B, BadForm], Response] | None = None,
        checks: tuple[str, ...] = (),
        takes: str = "",
    ) -> Route:
        """A page that is looked at; `takes` names the parameters of its query. `unreadable` shows a page for parameters that cannot be
        read; else the router does."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                query = request.query()
            except BadForm as problem:
                return await self._unreadable(request, problem, unreadable)
            browser = await self.browsers.meet(request)
            return await _finished(browser, handler(Visit(browser, query)))

        return self._route(path, "GET", answer, RouteKind.PAGE, checks, Operation(takes=takes))

    def post(
        self,
        path: str,
        handler: Callable[[VerifiedPost[B]], Awaitable[Response]],
        *,
        refused: Callable[[RefusedPost[B]], Awaitable[Response]],
        unreadable: Callable[[B, BadForm], Response] | None = None,
        checks: tuple[str, ...] = (),
        takes: str = "",
    ) -> Route:
        """A form of a page; `takes` names its fields beside the form token. `handler` is entered with a form that is ours, `refused`
        with any other."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                form = await request.form()
            except BadForm as problem:
                return await self._unreadable(request, problem, unreadable)
            secret = self.browsers.secret_of(request)
            fault = self.guard.fault(request, form, secret)

            async def work() -> Response:
                browser = await self.browsers.meet(request)
                if fault is None:
                    return await _finished(browser, handler(VerifiedPost(browser, form, _MINT)))
                self.guard.note(fault, request)
                return await _finished(browser, refused(RefusedPost(browser, form, _problem(fault))))

            return await self.repeated.answer(request, secret, form if fault is None else None, work)

        checks = (ORIGIN, CSRF, *checks)
        return self._route(path, "POST", answer, RouteKind.PAGE, checks, Operation(takes=takes))

    def app_request(
        self,
        path: str,
        handler: Callable[[AppRequest[B]], Awaitable[Response]],
        *,
        unreadable: Callable[[B, BadForm], Response],
        answer: Answer[B] | None = None,
        operation: Operation,
    ) -> Route:
        """An address to which apps send people, by GET or POST: one handler for both, which can do no more for the one than for the
        other. A form of our own that stands at the same address (`answer`) is checked like that of any page; where it fails, it is one
        more app request."""

        @wraps(handler)
        async def answered(request: Request) -> Response:
            posted = request.method == "POST"
            try:
                params = await request.form() if posted else request.query()
            except BadForm as problem:
                return await self._unreadable(request, problem, unreadable)
            secret = self.browsers.secret_of(request)
            fault = self.guard.fault(request, params, secret) if posted else None
            ours = posted and fault is None

            async def work() -> Response:
                browser = await self.browsers.meet(request)
                if answer is not None and posted and params.get(answer.field) == answer.value:
                    if fault is None:
                        return await _finished(browser, answer.handler(VerifiedPost(browser, params, _MINT)))
                    self.guard.note(fault, request)
                return await _finished(browser, handler(AppRequest(browser, params)))

            return await self.repeated.answer(request, secret, params if ours else None, work)

        return self._route(path, "GET POST", answered, RouteKind.APP_REQUEST, (), operation)

    def lead(self, path: str, to: str) -> Route:
        """For the address of a form that stands on another page: a GET, by a reload after its answer, leads to that page."""

        async def answer(request: Request) -> Response:
            """Leads to the page with the form."""
            del request
            return redirect(link(self.host.pages.issuer, to))

        return self._route(path, "GET", answer, RouteKind.PAGE, (), Operation())

    def _route(
        self,
        path: str,
        methods: str,
        handler: Handler,
        kind: RouteKind,
        checks: tuple[str, ...],
        operation: Operation,
    ) -> Route:
        @wraps(handler)
        async def answer(request: Request) -> Response:
            return self.host.misdirected(request) or await handler(request)

        return Route(
            path=path,
            methods=method_set(methods),
            handler=answer,
            kind=kind,
            checks=checks,
            operation=operation,
        )

    async def _unreadable(
        self, request: Request, problem: BadForm, show: Callable[[B, BadForm], Response] | None
    ) -> Response:
        if show is None:
            raise problem
        browser = await self.browsers.meet(request)
        return browser.dress(show(browser, problem))


async def _finished(browser: PageRequest, work: Awaitable[Response]) -> Response:
    """What the handler answers, or raises to answer, with the cookies of this request on it."""
    try:
        response = await work
    except EarlyResponse as early:
        response = early.response
    return browser.dress(response)


def _problem(fault: Fault) -> Problem:
    return Problem(Wrong.FOREIGN_FORM if fault == "origin" else Wrong.STALE_FORM)
