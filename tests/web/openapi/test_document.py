"""Does the OpenAPI document describe exactly the routes that there are?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.app.process import start
from doorward.core.model.secret import Secret
from doorward.settings import load
from doorward.settings.tree import MetricsSettings
from doorward.web.openapi.document import describe

pytestmark = pytest.mark.anyio
ISSUER = "http://127.0.0.1:9000"


async def routes(folder: Path) -> set[tuple[str, str]]:
    """(method, path) of every route, with the optional ones."""
    settings = load(
        None,
        {
            "DOORWARD_ISSUER": ISSUER,
            "DOORWARD_DEVELOPMENT": "true",
            "DOORWARD_DATABASE": str(folder / "a.db"),
        },
    )
    app, stop = await start(structs.replace(settings, metrics=MetricsSettings(token=Secret("x" * 20))))
    there = [*app._prefixes, *(route for methods in app._exact.values() for route in methods.values())]
    found = {(method, route.path) for route in there for method in route.methods if method != "HEAD"}
    await stop()
    return found


def described() -> dict[tuple[str, str], dict[str, Any]]:
    document: Any = describe(ISSUER)
    return {(m.upper(), path): op for path, item in document["paths"].items() for m, op in item.items()}


async def test_every_route_is_described_and_nothing_else(tmp_path: Path) -> None:
    named = {(method, path.partition("{")[0]) for method, path in described()}
    assert named == await routes(tmp_path)


def test_every_operation_has_a_name_of_its_own_a_summary_and_answers() -> None:
    operations = list(described().values())
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert operation["summary"]
        assert operation["responses"]
        for answer in operation["responses"].values():
            assert answer["description"]


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    document: Any = describe(ISSUER)
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

    walk(document)
    parts = {"AuthorizationRequest", "LogoutRequest"}  # also spelt out as query parameters
    assert seen | parts == set(document["components"]["schemas"])


def test_a_schema_names_no_member_twice_as_required() -> None:
    document: Any = describe(ISSUER)
    for schema in document["components"]["schemas"].values():
        assert set(schema.get("required", [])) <= set(schema["properties"])


@pytest.mark.parametrize("issuer", ["https://auth.example.com", "https://example.com/auth"])
def test_the_server_is_the_issuer(issuer: str) -> None:
    assert describe(issuer)["servers"] == [{"url": issuer}]
