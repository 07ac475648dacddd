"""Front page, static files, health and metrics: they answer, and reveal nothing to unauthorized callers."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
import pytest

from doorward.core.model.secret import Secret
from doorward.settings.tree import MetricsSettings
from doorward.web.pages import static
from tests.front_channel import Front, front_channel

pytestmark = pytest.mark.anyio


async def test_the_front_page_links_to_sign_in_and_shows_the_signed_in_person(front: Front) -> None:
    await front.person()
    tab = front.browser()
    page = await tab.get("/")
    assert page.status == 200
    assert "/sign-in" in page.text
    await tab.sign_in()
    assert "ada@example.com" in (await tab.get("/")).text


async def test_static_files_are_cached_for_ever_and_revalidated_cheaply(front: Front) -> None:
    tab = front.browser()
    path = f"/static/{static.VERSION}/page.css"
    page = await tab.ask("GET", path)
    assert page.status == 200
    assert "immutable" in (page.header("cache-control") or "")
    assert page.header("x-content-type-options") == "nosniff"
    again = await tab.ask("GET", path, if_none_match=page.header("etag") or "")
    assert (again.status, again.text) == (304, "")
    assert (await tab.ask("HEAD", path)).text == ""


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "/etc/passwd", "templates/base.html", "", ".", "x" * 5000]
)
async def test_only_static_files_of_the_pages_are_served(front: Front, name: str) -> None:
    for path in (f"/static/{name}", f"/static/{static.VERSION}/{name}", f"/static/{quote(name, safe='')}"):
        assert (await front.browser().ask("GET", path)).status == 404


async def test_health_and_readiness(front: Front) -> None:
    tab = front.browser()
    assert msgspec.json.decode((await tab.get("/healthz")).text) == {"status": "ok"}
    ready = await tab.get("/readyz")
    assert msgspec.json.decode(ready.text) == {"status": "ok", "database": True, "signing_keys": True}
    front.services.signer.install(())
    ready = await tab.get("/readyz")
    assert ready.status == 503
    assert not msgspec.json.decode(ready.text)["signing_keys"]
    assert (await tab.get("/healthz")).status == 200


async def test_metrics_require_the_token() -> None:
    async with front_channel() as front:
        assert (await front.browser().get("/metrics")).status == 404
    async with front_channel(metrics=MetricsSettings(token=Secret("t" * 20))) as front:
        tab = front.browser()
        for wrong in (
            {},
            {"authorization": ""},
            {"authorization": "Bearer x"},
            {"authorization": "Basic " + "t" * 20},
            {"authorization": "Bearer é"},
        ):
            page = await tab.ask("GET", "/metrics", **wrong)
            assert page.status == 401
            assert page.header("www-authenticate") == "Bearer"
        page = await tab.ask("GET", "/metrics", authorization="bearer " + "t" * 20)
        assert page.status == 200
        assert "doorward" in page.text


async def test_there_is_no_outbox_outside_development(front: Front) -> None:
    assert (await front.browser().get("/_dev/outbox")).status == 404
