"""Tests that every error page offers a way on, for any input and without the database."""

from __future__ import annotations

import pytest

from doorward.web.cookies import CookieJar
from doorward.web.error_pages import StatusPages
from doorward.web.http import Request
from tests.features import made

pytestmark = pytest.mark.anyio
JAR = CookieJar.of(made.ISSUER)
PAGES = StatusPages(jar=JAR, issuer=made.ISSUER, brand_name="<Acme>", default_locale="en")


def request(method: str = "GET", /, **headers: str) -> Request:
    lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/x", "query_string": b"", "headers": lines}
    return Request(scope, b"", request_id="t-7")


@pytest.mark.requirement(11)
@pytest.mark.parametrize("status", [400, 404, 405, 413, 500, 503, 418])
async def test_every_status_has_a_page_with_a_number_and_a_way_on(status: int) -> None:
    response = await PAGES.show(request(), status)
    text = response.body.decode()
    headers = dict(response.headers)
    assert response.status == status
    assert "t-7" in text
    assert 'href="/"' in text
    assert "&lt;Acme&gt;" in text
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"cache-control"] == b"no-store"
    assert b"set-cookie" not in headers


async def test_a_form_refused_by_a_busy_server_can_be_sent_again_unchanged() -> None:
    again = "your browser then sends once more what you typed"
    assert again in (await PAGES.show(request("POST"), 503)).body.decode()
    assert again not in (await PAGES.show(request("GET"), 503)).body.decode()
    assert again not in (await PAGES.show(request("POST"), 500)).body.decode()


@pytest.mark.parametrize(
    "tongue", ["de", "de-AT,en;q=0.5", "../../etc/passwd", "x" * 9000, "é", ";q=;q=", "\x00", "*"]
)
async def test_no_language_header_or_cookie_breaks_an_error_page(tongue: str) -> None:
    for headers in ({"accept_language": tongue}, {"cookie": f"{JAR.name('locale')}={tongue}"}):
        response = await PAGES.show(request(**headers), 404)
        assert response.status == 404
        assert (b'lang="de"' in response.body) == tongue.startswith("de")
