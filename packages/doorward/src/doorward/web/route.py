"""Routes: a path, its methods, its handler, and the kind that says which checks stand before the handler."""

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
"""The browser says that a page of ours sent the form (Origin, Sec-Fetch-Site; ASVS 3.5.1)."""
CSRF: Final = "csrf"
"""The form carries the token of this browser's cookie (R70)."""
SIGN_IN: Final = "sign-in"
"""A live session; anybody else is sent to the sign-in page first."""
RECENT: Final = "recent sign-in"
"""The session's person proved themselves a few minutes ago (ASVS 7.5.1); anybody else does it again first."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class RouteKind(StrEnum):
    """Who sends requests to a route, and so what its handler may take their cookies for."""

    PAGE = "page"
    """A person's browser, from a page of ours. A POST needs the origin and the form token before its handler is entered."""
    MACHINE = "machine"
    """A program that proves itself by what it sends. Cookies have no authority, so there is nothing that a foreign page could use."""
    APP_REQUEST = "app request"
    """A person's browser, sent by an app's page, which has no form token of ours: a POST does no more than the GET does."""
    APP_SCRIPT = "app script"
    """A script on an app's page, with cookies of ours. It has no form of ours; its page's origin has to be registered for the app."""


class Operation(Struct, frozen=True, kw_only=True):
    """What the OpenAPI document says of a route beside its path, methods and kind. Names are separated by spaces. Nothing here is
    enforced; a test compares it with what the routes answer.
    """

    summary: str = ""
    """Left out where the first sentence of the handler's docstring says it."""
    takes: str = ""
    """Parameters: of the query for a GET, of the form for a POST."""
    required: str = ""
    headers: str = ""
    rest: str = ""
    """The parameter that a prefix route's path ends with."""
    shapes: Mapping[str, Mapping[str, Any]] = {}
    """JSON Schema of parameters that `web/openapi/parameters.py` does not know well enough."""
    json: bool = False
    """Whether the form may also be a JSON object."""
    security: Literal["app", "bearer"] | None = None
    answers: Mapping[int, Any] = MappingProxyType({200: None})
    """By status, the type of an answer: a Struct or a TypedDict, or a mapping of media types to types. None: no body."""
    errors: tuple[int, ...] = ()
    """Statuses with an error, beside those that follow from parameters and security."""
    cached: bool = False
    """Whether the answer has an ETag and may be kept."""
    id: str = ""
    """The name in generated clients, where the path does not make a good one."""


_UNDESCRIBED: Final = Operation()


class Route(Struct, frozen=True, kw_only=True):
    """One path and what answers it. Made by `machine` and `app_script` below, and by `web/page_pipeline.py`.

    `checks` are what has been made sure of when the handler is entered. `prefix` routes match every path that begins with `path`
    (static files, status lists). `hot` routes are called by programs by the thousand: the duration of one request in 16 is measured.
    `cors` routes may be called from any web origin, without credentials (metadata, JWKS, token for public clients).
    """

    path: str
    methods: frozenset[str]
    handler: Handler
    kind: RouteKind
    checks: tuple[str, ...] = ()
    prefix: bool = False
    cors: bool = False
    hot: bool = False
    operation: Operation = _UNDESCRIBED

    def __post_init__(self) -> None:
        """Raise for a route that nobody has thought about: the server then does not start."""
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
        if self.cors and self.kind is not RouteKind.MACHINE:
            raise ValueError(f"{self.path} is open to every origin, so no cookie may count there")

    @property
    def page(self) -> bool:
        """Whether people look at the answer: errors are pages, and security headers those of pages."""
        return self.kind in {RouteKind.PAGE, RouteKind.APP_REQUEST}


def machine(
    path: str,
    methods: str,
    handler: Handler,
    *,
    prefix: bool = False,
    cors: bool = False,
    hot: bool = False,
    operation: Operation = _UNDESCRIBED,
) -> Route:
    """A route for programs, from a space-separated list of methods. Nothing stands between the router and the handler."""
    return Route(
        path=path,
        methods=method_set(methods),
        handler=handler,
        kind=RouteKind.MACHINE,
        prefix=prefix,
        cors=cors,
        hot=hot,
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
    """A route for the scripts of apps' pages. `check` makes what the handler takes, or raises `EarlyResponse`; `checks` names it."""

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
