"""Tests of the content security policy: what a page may load, and where its forms may go."""

from __future__ import annotations

import pytest

from doorward.web.pages.csp import CONTENT_SECURITY_POLICY, form_post_policy


@pytest.mark.requirement(11)
def test_the_policy_of_every_page() -> None:
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://app.example/callback?x=1#f", "https:"),
        ("https://user:secret@app.example:8443/cb", "https:"),
        ("http://127.0.0.1:5000/cb", "http:"),
        ("http://my_app:8000/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://[::1]:5000/cb", "http:"),
    ],
)
def test_a_posted_response_may_be_redirected_by_its_app_under_the_same_scheme(url: str, source: str) -> None:
    assert form_post_policy([url]) == CONTENT_SECURITY_POLICY.replace(
        "'self'; base", f"'self' {source}; base"
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https:///cb",
        "https://a;script-src *",
        "https://a b/",
        "https://a'b/",
        "https://*/",
        "https://*.example/",
        "//app.example",
        "/cb",
        "",
        "https://app.example:99999/",
        "https://[::1/",
        "https://[::1;script-src *]/",
        "https://\u202eexample.com/",
    ],
)
def test_an_invalid_address_never_widens_the_policy(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        form_post_policy([url])
