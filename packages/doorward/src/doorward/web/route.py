"""Routes: a path, its methods, its handler, and its kind, which determines the checks before the handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import wraps
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

from msgspec import Struct

from doorward.web.http import EarlyResponse, Request, Response

Handler = Callable[[Request], Awaitable[Response]]
P = TypeVar("P")

ORIGIN: Final = "origin"
"""The browser reports that a page of this server sent the form (Origin, Sec-Fetch-Site; ASVS 3.5.1)."""
CSRF: Final = "csrf"
"""The form carries the token of this browser's cookie (R70)."""
SIGN_IN: Final = "sign-in"
"""A live session; without one the person is sent to the sign-in page first."""
RECENT: Final = "recent sign-in"
"""The person has proven themselves in the last minutes (ASVS 7.5.1); otherwise they have to do it again first."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class RouteKind(StrEnum):
    """The kind of sender of a route's requests, which determines the authority of their cookies."""

    PAGE = "page"
    """A person's browser, from a page of this server. A POST needs the origin and the form token before its handler is called."""
    MACHINE = "machine"
    """A program with a credential in the request. Cookies have no authority, so another site's page gains nothing."""
    APP_REQUEST = "app request"
    """A person's browser, sent by an app's page, which has no form token of this server: a POST has no more effect than a GET."""
    APP_SCRIPT = "app script"
    """A script on an app's page, with cookies of this server but without its form token; the page's origin must be registered for the
    app."""
    FOREIGN_FORM = "foreign form"
    """A person's browser, from a page of another service that answers by a form. The handler gets the fields and no more, and gives the
    address of a page of this server, where the browser is checked."""


class Operation(Struct, frozen=True, kw_only=True):
    """The OpenAPI description of a route, besides its path, methods and kind. Names are separated by spaces. Nothing here is enforced;
    a test compares it with the responses of the routes."""

    summary: str = ""
    """Omitted where the first sentence of the handler's docstring is the summary."""
    takes: str = ""
    """Parameters: of the query for a GET, of the form for a POST."""
    required: str = ""
    headers: str = ""
    rest: str = ""
    """The parameter at the end of a prefix route's path."""
    shapes: Mapping[str, Mapping[str, Any]] = {}
    """JSON Schema of parameters that need more than `web/openapi/parameters.py` has."""
    json: bool = False
    """Whether the form may also be a JSON object."""
    security: Literal["app", "bearer"] | None = None
    answers: Mapping[int, Any] = MappingProxyType({200: None})
    """The type of a response by status: a Struct or a TypedDict, or a mapping of media types to types. None: no body."""
    errors: tuple[int, ...] = ()
    """Statuses with an error, besides those that follow from parameters and security."""
    cached: bool = False
    """Whether the response has an ETag and may be cached."""
    id: str = ""
    """The name in generated clients, where the path does not give a good one."""


_UNDESCRIBED: Final = Operation()


class Route(Struct, frozen=True, kw_only=True):
    """One path and its handler. Made by `machine` and `app_script` below, and by `web/page_pipeline.py`.

    `checks` are the checks made before the handler is called. `prefix` routes match every path that begins with `path` (static
    files). `hot` routes are called thousands of times by programs: one request in 16 is timed. `cors` routes may be
    called from any web origin, without credentials (metadata, JWKS, token for public clients). `at_root` routes are found at the
    root of the origin, too, when the issuer has a path: programs look for them there only.
    """

    path: str
    methods: frozenset[str]
    handler: Handler
    kind: RouteKind
    checks: tuple[str, ...] = ()
    prefix: bool = False
    cors: bool = False
    hot: bool = False
    at_root: bool = False
    operation: Operation = _UNDESCRIBED

    def __post_init__(self) -> None:
        """Refuse a route with missing checks, so that the server does not start."""
        # a plug from outside the tree is not type-checked
        if not isinstance(self.kind, RouteKind):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{self.path} needs a kind: {', '.join(RouteKind)}")
        acts = bool(self.methods - _READING)
        if self.kind is RouteKind.PAGE and acts and not {ORIGIN, CSRF} <= set(self.checks):
            raise ValueError(
                f"POST {self.path} is a page: declare it with Pages.post, which checks origin and form token"
            )
        if self.kind is RouteKind.APP_REQUEST and self.methods != frozenset({"GET", "HEAD", "POST"}):
            raise ValueError(f"{self.path} is an app request: the same handler answers GET and POST")
        if self.kind is RouteKind.APP_SCRIPT and acts and not self.checks:
            raise ValueError(
                f"POST {self.path} takes cookies from an app's script: name the check of its origin"
            )
        if self.kind is RouteKind.FOREIGN_FORM and self.methods != frozenset({"POST"}):
            raise ValueError(
                f"{self.path} takes forms of another service: declare it with Pages.foreign_form"
            )
        if self.cors and self.kind is not RouteKind.MACHINE:
            raise ValueError(f"{self.path} is open to every origin, so no cookie may count there")

    @property
    def page(self) -> bool:
        """Whether the response is shown to people: errors are pages, with the security headers of pages."""
        return self.kind in {RouteKind.PAGE, RouteKind.APP_REQUEST, RouteKind.FOREIGN_FORM}


def machine(
    path: str,
    methods: str,
    handler: Handler,
    *,
    prefix: bool = False,
    cors: bool = False,
    hot: bool = False,
    at_root: bool = False,
    operation: Operation = _UNDESCRIBED,
) -> Route:
    """A route for programs, from a space-separated list of methods. The router calls the handler directly."""
    return Route(
        path=path,
        methods=method_set(methods),
        handler=handler,
        kind=RouteKind.MACHINE,
        prefix=prefix,
        cors=cors,
        hot=hot,
        at_root=at_root,
        operation=operation,
    )


def app_script(
    path: str,
    methods: str,
    handler: Callable[[P], Awaitable[Response]],
    *,
    check: Callable[[Request], Awaitable[P]],
    checks: tuple[str, ...],
    operation: Operation = _UNDESCRIBED,
) -> Route:
    """A route for scripts of apps' pages. `check` returns the handler's argument, or raises `EarlyResponse`; `checks` names it."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(await check(request))
        except EarlyResponse as early:
            return early.response

    return Route(
        path=path,
        methods=method_set(methods),
        handler=answer,
        kind=RouteKind.APP_SCRIPT,
        checks=checks,
        operation=operation,
    )


def method_set(methods: str) -> frozenset[str]:
    """The methods of a space-separated list; GET also answers HEAD."""
    names = set(methods.split())
    if "GET" in names:
        names.add("HEAD")
    return frozenset(names)
