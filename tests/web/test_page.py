"""Tests of the security headers of every page."""

from __future__ import annotations

import pytest

from doorward.web.page import SECURITY_HEADERS, html
from doorward.web.pages.csp import CONTENT_SECURITY_POLICY
from doorward.web.pages.views.context import PageContext
from doorward.web.pages.views.flow import Continue, FormPost, SignedOut
from tests.features import made

CONTEXT = PageContext(locale="en", csrf_token="t", brand_name="Acme", issuer=made.ISSUER, request_id="r")


@pytest.mark.requirement(11)
def test_a_page_is_never_framed_stored_or_sent_as_referrer() -> None:
    response = html(SignedOut(), CONTEXT)
    headers = dict(response.headers)
    assert headers[b"content-security-policy"] == CONTENT_SECURITY_POLICY.encode()
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"referrer-policy"] == b"same-origin"
    for name, value in SECURITY_HEADERS:
        assert headers[name.encode()] == value.encode()


@pytest.mark.requirement(10, 14)
def test_only_the_form_post_page_may_post_to_another_site() -> None:
    posting = dict(html(FormPost(made.REDIRECT, (("code", "x"),), "web"), CONTEXT).headers)
    assert b"form-action 'self' https:;" in posting[b"content-security-policy"]
    leading = dict(html(Continue(made.REDIRECT + "?code=x"), CONTEXT).headers)
    assert b"form-action 'self';" in leading[b"content-security-policy"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/x", " javascript:alert(1)"]
)
def test_no_page_links_to_an_address_that_could_run(url: str) -> None:
    with pytest.raises(ValueError):
        html(Continue(url), CONTEXT)
