"""Which pages are there, and which fields do their forms send? The part of the OpenAPI document that is for people."""

from __future__ import annotations

from typing import Any

_FLOW = ("csrf", "flow")
_ACCOUNT = ("csrf",)

# path -> (what it is, what its form sends); None: there is nothing to send
_PAGES: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "/": ("What this is", None),
    "/sign-in": ("Sign in", (*_FLOW, "identifier", "password")),
    "/sign-in/code": ("The second factor", (*_FLOW, "method", "code")),
    "/sign-up": ("Sign up", (*_FLOW, "email", "password", "name")),
    "/sign-up/check": ("The code from the mail", (*_FLOW, "code")),
    "/verify": ("The link from the mail", (*_FLOW, "token")),
    "/reset": ("Forgot password", (*_FLOW, "email")),
    "/reset/check": ("The code from the mail", (*_FLOW, "code")),
    "/reset/link": ("The link from the mail", (*_FLOW, "token")),
    "/reset/new": ("A new password", (*_FLOW, "password", "end_sessions")),
    "/consent": ("May this app", (*_FLOW, "decision")),
    "/signed-out": ("Signed out", None),
    "/account": ("Profile", (*_ACCOUNT, "name", "locale")),
    "/account/confirm": ("Prove it is you", (*_ACCOUNT, "password", "code", "return_to")),
    "/account/methods": ("Sign-in methods", None),
    "/account/methods/authenticator": ("Add an authenticator app", (*_ACCOUNT, "setup", "code", "password")),
    "/account/devices": ("Devices", None),
    "/account/apps": ("Connected apps", None),
    "/account/activity": ("Activity", None),
    "/.well-known/change-password": ("Where a password is changed", None),
    "/_dev/outbox": ("The mail of a development server; absent elsewhere", None),
}

# what the address of a page may carry
_QUERIES: dict[str, tuple[str, ...]] = {
    "/sign-in": ("flow", "prompt", "restart"),
    "/sign-in/code": ("flow", "method"),
    "/sign-up": ("flow",),
    "/sign-up/check": ("flow", "ticket", "resent"),
    "/verify": ("token",),
    "/reset": ("flow",),
    "/reset/check": ("flow", "ticket", "resent"),
    "/reset/link": ("token",),
    "/reset/new": ("flow", "ticket"),
    "/consent": ("flow",),
    "/account/confirm": ("return_to",),
}

# path -> what its form sends; there is no page to get
_ONLY_SENT: dict[str, tuple[str, tuple[str, ...]]] = {
    "/sign-up/resend": ("Send the mail again", _FLOW),
    "/reset/resend": ("Send the mail again", _FLOW),
    "/account/methods/password": ("Change the password", (*_ACCOUNT, "current", "new")),
    "/account/methods/recovery": ("New recovery codes", (*_ACCOUNT, "password")),
    "/account/methods/authenticator/remove": ("Remove the authenticator app", (*_ACCOUNT, "password")),
    "/account/devices/end": ("End one session", (*_ACCOUNT, "session")),
    "/account/devices/end-others": ("End all other sessions", _ACCOUNT),
    "/account/apps/disconnect": ("Disconnect an app", (*_ACCOUNT, "app")),
    "/account/activity/report": ("This wasn't me", (*_ACCOUNT, "event")),
}


def paths() -> dict[str, Any]:
    """The paths of the pages, and of the files that they use."""
    found: dict[str, Any] = {}
    for path, (said, fields) in _PAGES.items():
        found[path] = {"get": _get(path, said)}
        if fields is not None:
            found[path]["post"] = _post(path, said, fields)
    for path, (said, fields) in _ONLY_SENT.items():
        found[path] = {
            "get": _get(path, "Leads to the page with the form"),
            "post": _post(path, said, fields),
        }
    found["/static/{name}"] = {
        "get": {
            "operationId": "static",
            "summary": "A file of the pages",
            "tags": ["pages"],
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {
                "200": {"description": "The file.", "content": {"*/*": {}}},
                "304": {"description": "As before."},
                "404": {
                    "description": "There is no such file.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
            },
        }
    }
    return found


def answers(*, onward: bool = False) -> dict[str, Any]:
    """What a page answers with. `onward`: it may lead back to an app."""
    page = {"text/html": {"schema": {"type": "string"}}}
    statuses = {
        "200": "A page.",
        "303": "Onwards, back to the app or to the next step." if onward else "Onwards.",
        "400": "The request cannot be understood; a page says why.",
        "403": "The form did not come from this server's own page.",
        "404": "There is no such page.",
        "410": "The link from the mail no longer works.",
        "413": "The body is too large.",
        "421": "Opened at another address than the issuer's; the page leads there.",
        "429": "Too many tries; the page says until when.",
        "503": "Not now; try again.",
    }
    found: dict[str, Any] = {
        status: {"description": said, "content": page} for status, said in statuses.items()
    }
    del found["303"]["content"]
    return found


def _get(path: str, said: str) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": _name("get", path), "summary": said, "tags": ["pages"]}
    if path in _QUERIES:
        operation["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
            for name in _QUERIES[path]
        ]
    return {**operation, "responses": answers()}


def _post(path: str, said: str, fields: tuple[str, ...]) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    return {
        "operationId": _name("post", path),
        "summary": said,
        "tags": ["pages"],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": schema}},
        },
        "responses": answers(),
    }


def _name(method: str, path: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in path).split()
    return method + ("".join(word.capitalize() for word in words) or "Home")
