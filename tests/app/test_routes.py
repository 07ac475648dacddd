"""/openapi.json, and the same document without a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, structs
from msgspec.json import decode

from doorward.app.routes import openapi_document
from doorward.core.model.secret import Secret
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.services import Services
from doorward.settings.tree import KeySettings
from doorward.web.http import Request, Response, json_response
from doorward.web.route import Operation, Route, machine
from tests.front_channel import front_channel
from tests.openapi import whole

pytestmark = pytest.mark.anyio


class Weather(Struct):
    """The weather of one place."""

    place: str
    rain: bool = False


async def weather(request: Request) -> Response:
    """How the weather is. Only the first sentence is shown."""
    return json_response(Weather(request.query()["place"]))


def weather_routes(services: Services) -> Sequence[Route]:
    del services
    operation = Operation(takes="place", required="place", answers={200: Weather}, errors=(503,))
    return [machine("/weather", "GET", weather, operation=operation), machine("/bare", "GET", weather)]


WEATHER = Feature(name="weather", routes=weather_routes)


async def test_the_document_is_served_to_any_page_and_may_be_cached() -> None:
    async with front_channel() as front:
        answer = await front.browser().ask("GET", "/openapi.json", origin="https://elsewhere.example")
        assert answer.status == 200
        headers = dict(answer.headers)
        assert headers["content-type"] == "application/json"
        assert headers["access-control-allow-origin"] == "*"
        assert headers["cache-control"] == "public, max-age=300"
        served: dict[str, Any] = decode(answer.text)
        assert served["openapi"] == "3.1.0"
        assert served["servers"] == [{"url": front.settings.issuer}]
        assert served == await openapi_document(front.settings)
        tag = headers["etag"]
        again = await front.browser().ask("GET", "/openapi.json", if_none_match=tag)
        assert (again.status, again.text) == (304, "")


async def test_a_route_from_outside_is_described_without_an_entry_elsewhere() -> None:
    document = await openapi_document(whole(), features=(*FEATURES, WEATHER))
    told = document["paths"]["/weather"]["get"]
    assert told["operationId"] == "weather"
    assert told["summary"] == "How the weather is"
    assert told["tags"] == ["weather"]
    assert told["parameters"] == [
        {"name": "place", "in": "query", "required": True, "schema": {"type": "string"}}
    ]
    assert set(told["responses"]) == {"200", "400", "503"}
    schema = told["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Weather"}
    assert document["components"]["schemas"]["Weather"]["required"] == ["place"]
    assert set(document["paths"]["/bare"]["get"]["responses"]) == {"200"}


@pytest.mark.parametrize("issuer", ["https://auth.example.com", "https://example.com/auth"])
async def test_the_issuer_of_the_document_is_the_server(issuer: str) -> None:
    settings = structs.replace(whole(), issuer=issuer, development=False)
    assert (await openapi_document(settings))["servers"] == [{"url": issuer}]


async def test_routes_that_a_server_does_not_have_are_not_described() -> None:
    settings = structs.replace(
        whole(), development=False, metrics=structs.replace(whole().metrics, token=None)
    )
    paths = (await openapi_document(settings))["paths"]
    assert "/jwks" in paths
    assert {"/metrics", "/_dev/outbox"}.isdisjoint(paths)


async def test_the_document_needs_no_database_key_or_cache(tmp_path: Path) -> None:
    settings = structs.replace(
        whole(),
        database=str(tmp_path / "doorward.db"),
        cache=Secret("redis://127.0.0.1:1/0"),
        keys=KeySettings(unwrap_command="/nowhere/unwrap", wrap_command="/nowhere/wrap"),
    )
    assert (await openapi_document(settings))["openapi"] == "3.1.0"
    assert list(tmp_path.iterdir()) == []


async def test_a_form_of_another_service_is_described_as_it_is_taken() -> None:
    policy = ProviderPolicy(
        issuer="https://id.example",
        label="Example",
        client_id="c",
        client_secret=Secret("s"),
        response_mode="form_post",
    )
    settings = structs.replace(whole(), providers=ProviderPolicies(by_name={"posting": policy}))
    paths = (await openapi_document(settings))["paths"]["/sign-in/provider/posting/callback"]
    assert set(paths) == {"get", "post"}
    assert [one["name"] for one in paths["get"]["parameters"]] == ["answer"]
    (content,) = paths["post"]["requestBody"]["content"].items()
    assert content[0] == "application/x-www-form-urlencoded"
    assert set(content[1]["schema"]["properties"]) == {"code", "state", "iss", "error"}
    assert {"303", "400", "413"} <= set(paths["post"]["responses"])
    assert paths["get"]["operationId"] != paths["post"]["operationId"]
