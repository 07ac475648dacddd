"""Page pipeline: the checks before a page's handler, and the types that prove them to the handler.

A handler of a POST takes a `VerifiedPost`, which only this file can make, so that a new page cannot omit the check. A form that
fails it goes to the page's other handler as a `RefusedPost`; that handler shows the form again with the typed values, and cannot
change anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final, Generic, Protocol, TypeVar, final

from msgspec import Struct

from doorward.web.browser import PageRequest, link
from doorward.web.csrf import Fault, FormGuard
from doorward.web.http import BadForm, EarlyResponse, Request, Response, redirect
from doorward.web.pages.views.problems import FormProblem, Wrong
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
    """A refused form: it did not come from our own page in this browser. It may be shown again, and must not have any effect."""

    browser: B
    form: dict[str, str]
    problem: FormProblem
    """The problem that the page shows first."""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query. Raises `BadForm`."""
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
        """The parameters of the query. Raises `BadForm`."""
        return self.browser.request.query()


@final
class AppRequest(Struct, Generic[B], frozen=True):
    """A request with which an app's page sends a person, by GET or POST. Its sender is not verified, so a POST may have no more effect
    than a GET."""

    browser: B
    params: dict[str, str]


class Recognizer(Protocol[B_co]):
    """Identifies the browser of a page request."""

    def secret_of(self, request: Request) -> str | None:
        """The value of the browser cookie, if the request has one."""
        ...

    async def meet(self, request: Request) -> B_co:
        """The browser of a request, with the facts that a feature adds."""
        ...


class RepeatedPosts(Protocol):
    """Ensures that a form posted twice is processed once."""

    async def answer(
        self, request: Request, browser: str | None, form: dict[str, str] | None, work: Work
    ) -> Response:
        """The response of `work`, or the stored one of the same post a moment ago. `browser` is the cookie of the request; `form` is
        None for a request without a form of this server, which is processed each time."""
        ...


class Answer(Struct, Generic[B], frozen=True, kw_only=True):
    """A form of this server that is posted to the URL of an app request, recognised by one of its fields."""

    field: str
    value: str
    handler: Callable[[VerifiedPost[B]], Awaitable[Response]]


@final
class Pages(Struct, Generic[B], frozen=True, kw_only=True):
    """Makes the routes of pages. One instance per server."""

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
        json: Any = None,
    ) -> Route:
        """A page; `takes` names the parameters of its query. `json`: the type of the response, for a script of a page. `unreadable` makes the page for unreadable parameters; without it the
        router does."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                query = request.query()
            except BadForm as problem:
                return await self._unreadable(request, problem, unreadable)
            browser = await self.browsers.meet(request)
            return await _finished(browser, handler(Visit(browser, query)))

        about = (
            Operation(takes=takes)
            if json is None
            else Operation(takes=takes, answers={200: json}, errors=(404,))
        )
        return self._route(path, "GET", answer, RouteKind.PAGE, checks, about)

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
        """A form of a page; `takes` names its fields besides the form token. `handler` gets verified forms, `refused` all others."""

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
        """A URL to which apps send people, by GET or POST, with one handler for both, so that a POST has no more effect than a GET. A
        form of this server with the same URL (`answer`) is checked like that of any page; if the check fails, it is handled as an
        app request."""

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

    def foreign_form(self, path: str, place: Callable[[Mapping[str, str]], str], *, takes: str) -> Route:
        """A form that a page of another service posts here, which no token of this server can be in, and no SameSite=Lax cookie is sent
        with. `place` gives the path to go on at from the fields alone: it knows neither the browser nor the store, so that the
        post of a stranger changes nothing. `takes` names the fields."""

        async def answer(request: Request) -> Response:
            """The answer of another service, which goes on at a page of this server."""
            return redirect(link(self.host.pages.issuer, place(await request.form())))

        return self._route(path, "POST", answer, RouteKind.FOREIGN_FORM, (), Operation(takes=takes))

    def lead(self, path: str, to: str) -> Route:
        """A redirect for a GET of a form's URL, as after a reload, to the page that contains the form."""

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
    """The handler's response, returned or raised, with the cookies of this request."""
    try:
        response = await work
    except EarlyResponse as early:
        response = early.response
    return browser.dress(response)


def _problem(fault: Fault) -> FormProblem:
    return FormProblem(Wrong.FOREIGN_FORM if fault == "origin" else Wrong.STALE_FORM)
