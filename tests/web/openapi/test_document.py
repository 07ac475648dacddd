"""Tests that the OpenAPI document describes exactly the existing routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.app.process import start
from tests.openapi import document, whole

pytestmark = pytest.mark.anyio
DOCUMENT = document()


async def routes(folder: Path) -> set[tuple[str, str]]:
    """(method, path) of every route, including the optional ones."""
    app, stop = await start(whole(DOORWARD_DATABASE=str(folder / "a.db")))
    there = [*app._prefixes, *(route for methods in app._exact.values() for route in methods.values())]
    found = {(method, route.path) for route in there for method in route.methods if method != "HEAD"}
    await stop()
    return found


def described() -> dict[tuple[str, str], dict[str, Any]]:
    return {(m.upper(), path): op for path, item in DOCUMENT["paths"].items() for m, op in item.items()}


async def test_every_route_is_described_and_nothing_else(tmp_path: Path) -> None:
    named = {(method, path.partition("{")[0]) for method, path in described()}
    assert named == await routes(tmp_path)


def test_every_operation_has_a_unique_name_a_summary_and_responses() -> None:
    operations = list(described().values())
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert operation["summary"]
        assert operation["responses"]
        for answer in operation["responses"].values():
            assert answer["description"]


def test_every_reference_has_a_target_and_every_schema_is_used() -> None:
    seen: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                seen.add(value["$ref"].removeprefix("#/components/schemas/"))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(DOCUMENT)
    assert seen == set(DOCUMENT["components"]["schemas"])


def test_a_schema_names_no_member_twice_as_required() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        assert set(schema.get("required", [])) <= set(schema["properties"])


def test_no_member_of_a_response_is_null() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        for member in schema["properties"].values():
            assert {"type": "null"} not in member.get("anyOf", ())
            assert "default" not in member


def test_responses_with_a_fixed_shape_are_closed() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    assert {"TokenResponse", "Code", "CookiesSet", "JwkSet", "RevocationPage"} <= closed


def test_a_form_of_a_page_names_its_fields_and_the_form_token() -> None:
    form = described()["POST", "/sign-in"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    assert list(form["schema"]["properties"]) == ["csrf", "flow", "identifier", "password"]


def test_the_document_contains_what_follows_from_client_authentication() -> None:
    for path in ("/token", "/introspect", "/revoke", "/authorize-challenge"):
        operation = described()["POST", path]
        assert operation["security"] == [{"basic": []}, {}]
        assert {"200", "400", "401", "413", "429", "503"} <= set(operation["responses"])
        name = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["$ref"]
        members = DOCUMENT["components"]["schemas"][name.rpartition("/")[2]]["properties"]
        assert {"client_id", "client_secret", "client_assertion", "client_assertion_type"} <= set(members)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (("POST", "/token"), "token"),
        (("GET", "/userinfo"), "userinfo"),
        (("POST", "/userinfo"), "postUserinfo"),
        (("GET", "/authorize"), "authorize"),
        (("POST", "/authorize"), "postAuthorize"),
        (("OPTIONS", "/cookie/sign-out"), "cookieSignOutPreflight"),
        (("GET", "/.well-known/openid-configuration"), "openidConfiguration"),
        (("GET", "/.well-known/oauth-authorization-server"), "serverMetadata"),
        (("GET", "/.well-known/change-password"), "getWellKnownChangePassword"),
        (("GET", "/"), "getHome"),
        (("POST", "/sign-in/code"), "postSignInCode"),
    ],
)
def test_names_of_operations_are_unchanged(operation: tuple[str, str], name: str) -> None:
    # generated clients name their functions after them
    assert described()[operation]["operationId"] == name
