"""Of which parts is the OpenAPI document built?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doorward.web.openapi.schemas import ref

Operation = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
NO_STORE = {
    "Cache-Control": {"description": "Never stored.", "schema": {"type": "string", "const": "no-store"}}
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
CLIENT_AUTH: list[dict[str, list[str]]] = [{"basic": []}, {}]


def operation(
    name: str,
    summary: str,
    tag: str,
    *,
    responses: Mapping[str, Any],
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    optional_body: bool = False,
    security: Sequence[Mapping[str, Any]] | None = None,
) -> Operation:
    """One method of one path."""
    described: Operation = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "responses": dict(responses),
    }
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        content = {kind: {"schema": schema} for kind, schema in body.items()}
        described["requestBody"] = {"required": not optional_body, "content": content}
    if security is not None:
        described["security"] = list(security)
    return described


def answer(said: str, schema: str, *, headers: Mapping[str, Any] = NO_STORE) -> dict[str, Any]:
    """An answer in JSON."""
    said_so: dict[str, Any] = {"description": said, "content": {"application/json": {"schema": ref(schema)}}}
    if headers:
        said_so["headers"] = dict(headers)
    return said_so


_SAID = {
    "400": "The request is not as it should be.",
    "401": "The caller did not prove who it is.",
    "403": "Not allowed.",
    "404": "There is no such thing.",
    "413": "The body is too large.",
    "429": "Too many tries.",
    "503": "Not now; try again.",
}


def errors(*statuses: str) -> dict[str, Any]:
    """The answers of these statuses, each an OAuth error."""
    return {
        status: answer(_SAID[status], "Error", headers=_RETRY if status in {"429", "503"} else {})
        for status in statuses
    }


def parameter(name: str, said: str, schema: Mapping[str, Any], *, required: bool = False) -> dict[str, Any]:
    """A query parameter."""
    return {"name": name, "in": "query", "required": required, "description": said, "schema": dict(schema)}


def header(name: str, said: str) -> dict[str, Any]:
    """A request header."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": said,
        "schema": {"type": "string"},
    }


def query(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A schema's members as query parameters."""
    required: Sequence[str] = schema.get("required", ())
    return [
        parameter(name, member.get("description", ""), member, required=name in required)
        for name, member in schema["properties"].items()
    ]
