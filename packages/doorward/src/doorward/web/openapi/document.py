"""OpenAPI 3.1 document of a server, generated from its routes; parameters and responses are declared beside the handlers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from inspect import getdoc
from typing import Any, Final, NotRequired, TypedDict, cast

from msgspec.json import schema_components

from doorward import __version__
from doorward.web.openapi.parameters import member
from doorward.web.route import CSRF, Route, RouteKind

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_REF: Final = "#/components/schemas/{name}"
_STATUSES: Final = {
    200: "Done.",
    201: "Made.",
    202: "Accepted; the answer has no body.",
    204: "Done; the answer has no body.",
    303: "Onwards, to the next step or back to the app.",
    304: "The caller's copy is still right.",
    400: "The request is not as it should be.",
    401: "The caller did not prove who it is.",
    403: "Not allowed; for a page: the form did not come from this server's own page.",
    404: "There is no such thing.",
    409: "There are too many already.",
    410: "The link from the mail no longer works.",
    413: "The body is too large.",
    421: "Opened at another address than the issuer's; the page leads there.",
    429: "Too many tries.",
    503: "Not now; try again.",
}
_FOR_BROWSERS: Final = frozenset({RouteKind.PAGE, RouteKind.FOREIGN_FORM})
"""Routes that no program calls."""
_PAGE: Final = (200, 303, 400, 403, 404, 410, 413, 421, 429, 503)
_IMPLIED: Final = {"app": (401, 429, 503), "bearer": (401,), None: ()}
_NO_STORE: Final = {"Cache-Control": {"schema": {"type": "string", "const": "no-store"}}}
_RETRY: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}
_COOKIES: Final = {"Set-Cookie": {"description": "The tokens.", "schema": {"type": "string"}}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "RFC 6750 §3", "schema": {"type": "string"}}}


class ErrorResponse(TypedDict):
    """An error: the code of its specification, and a sentence that is safe to show."""

    error: str
    error_description: NotRequired[str]


def describe(
    found: Sequence[tuple[str, Route]],
    *,
    issuer: str,
    credentials: Sequence[str],
    schemes: Mapping[str, str],
) -> dict[str, Any]:
    """The document for the server at `issuer`, from its routes with the names of their features. Apps authenticate with the form
    parameters `credentials`, or with an Authorization header of one of the `schemes`, given with their names in the metadata."""
    routes = [route for _, route in found]
    types = list(dict.fromkeys([ErrorResponse, str, *(kind for route in routes for kind in _types(route))]))
    shapes, components = schema_components(types, ref_template=_REF)
    schemas = dict(zip(types, shapes, strict=True))
    for schema in components.values():
        _without_null(schema)
    no_scope: list[str] = []
    security = {"app": [*({name: no_scope} for name in schemes), {}], "bearer": [{"bearer": no_scope}]}
    read = {route.path for route in routes if "GET" in route.methods}
    paths: dict[str, dict[str, Any]] = {}
    operations = [(*each, method) for each in found for method in sorted(each[1].methods - {"HEAD"})]
    for feature, route, method in operations:
        said = route.operation
        described: dict[str, Any] = {
            "operationId": said.id or _id(route, method, twice=route.path in read),
            "summary": said.summary or _first_sentence(getdoc(route.handler) or route.path),
            "tags": [feature],
            "responses": _responses(route, method, schemas),
        }
        if parameters := _parameters(route, method):
            described["parameters"] = parameters
        if method == "POST":
            described["requestBody"] = _body(route, credentials, components)
        if said.security is not None:
            described["security"] = security[said.security]
        path = f"{route.path}{{{said.rest}}}" if route.prefix else route.path
        paths.setdefault(path, {})[method.lower()] = described
    headers = {name: {"type": "http", "scheme": name, "description": said} for name, said in schemes.items()}
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward",
            "version": __version__,
            "description": "OAuth 2.1, OpenID Connect, JSON sign-in, cookie delivery, the revocation feed, and the hosted pages.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {**headers, "bearer": bearer}},
    }


def _contents(answer: Any) -> Mapping[str, Any]:
    """The types of a response by media type."""
    if answer is None:
        return {}
    return cast("Mapping[str, Any]", answer) if isinstance(answer, Mapping) else {JSON: answer}


def _types(route: Route) -> list[Any]:
    return [kind for answer in route.operation.answers.values() for kind in _contents(answer).values()]


def _without_null(schema: dict[str, Any]) -> None:
    """Remove null from the schema: a member without a value is omitted in a response, never null."""
    for name, shape in schema.get("properties", {}).items():
        if "default" in shape and shape.pop("default") is None:
            (schema["properties"][name],) = [one for one in shape["anyOf"] if one != {"type": "null"}]


def _first_sentence(text: str) -> str:
    return text.partition("\n")[0].partition(". ")[0].strip(".")


def _words(path: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in path).split()
    return "".join(word.capitalize() for word in words)


def _id(route: Route, method: str, *, twice: bool) -> str:
    """`getSignIn` for a page; `userinfo` and `postUserinfo` for endpoints of programs and apps."""
    if route.kind in _FOR_BROWSERS:
        return method.lower() + (_words(route.path) or "Home")
    words = _words(route.path.removeprefix("/.well-known"))
    if method == "POST" and twice:
        return f"post{words}"
    return words[0].lower() + words[1:] + ("Preflight" if method == "OPTIONS" else "")


def _members(route: Route, names: Iterable[str]) -> dict[str, Any]:
    """JSON Schemas of parameters by name. The fields of a page's own form have no meaning elsewhere."""
    if route.kind in _FOR_BROWSERS:
        return {name: {"type": "string"} for name in names}
    return {name: member(name, route.operation.shapes.get(name, {})) for name in names}


def _parameters(route: Route, method: str) -> list[dict[str, Any]]:
    said = route.operation
    header = "If-None-Match" if said.cached else said.headers
    found: list[dict[str, Any]] = []
    for place, names in (
        ("path", said.rest),
        ("query", said.takes if method == "GET" else ""),
        ("header", header),
    ):
        for name, shape in _members(route, names.split()).items():
            described = {"description": shape.pop("description")} if "description" in shape else {}
            required = place == "path" or name in said.required.split()
            found.append({"name": name, "in": place, "required": required, **described, "schema": shape})
    return found


def _body(route: Route, credentials: Sequence[str], components: dict[str, Any]) -> dict[str, Any]:
    """The form of a POST. Forms sent by programs get a named schema, for client generators."""
    said = route.operation
    own = ("csrf",) if CSRF in route.checks else ()
    proof = ("client_id", *credentials) if said.security == "app" else ()
    schema: dict[str, Any] = {
        "type": "object",
        "properties": _members(route, (*own, *said.takes.split(), *proof)),
        "required": said.required.split(),
    }
    if route.kind not in _FOR_BROWSERS:
        name = f"{_words(route.path)}Request"
        components[name] = schema
        schema = {"$ref": _REF.format(name=name)}
    content = {kind: {"schema": schema} for kind in ((JSON, FORM) if said.json else (FORM,))}
    # a bearer token may be in a header instead (RFC 6750 §2)
    return {"required": said.security != "bearer", "content": content}


def _responses(route: Route, method: str, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    said, sent = route.operation, method == "POST"
    answers: dict[int, Any] = {}
    if route.page:
        answers = {status: None if status == 303 else {"text/html": str} for status in _PAGE}
        answers |= dict.fromkeys(said.errors, ErrorResponse)
        answers |= {status: kind for status, kind in said.answers.items() if kind is not None}
    elif method == "OPTIONS":
        answers = {204: None}
    else:
        errors = [*said.errors, *_IMPLIED[said.security]]
        errors += [status for status, may in ((400, said.takes), (413, sent)) if may]
        answers = {
            **dict.fromkeys(errors, ErrorResponse),
            **({304: None} if said.cached else {}),
            **said.answers,
        }
    found: dict[str, Any] = {}
    for status in sorted(answers):
        contents = _contents(answers[status])
        found[str(status)] = {"description": _STATUSES[status]}
        if headers := _headers(route, status, contents, sent=sent):
            found[str(status)]["headers"] = headers
        if contents:
            found[str(status)]["content"] = {kind: {"schema": schemas[of]} for kind, of in contents.items()}
    return found


def _headers(route: Route, status: int, contents: Mapping[str, Any], *, sent: bool) -> dict[str, Any]:
    said, good, headers = route.operation, status < 300, dict[str, Any]()
    if (JSON in contents and not (said.cached and good)) or (sent and good and not contents):
        headers |= _NO_STORE
    if status in {429, 503} and JSON in contents:
        headers |= _RETRY
    if said.security == "bearer" and status in {401, 403}:
        headers |= _CHALLENGE
    if route.kind is RouteKind.APP_SCRIPT and sent and good:
        headers |= _COOKIES
    return headers
