"""Authorization response: the app receives it complete and unaltered, and receives nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.features.oauth.authorize.rules.request import Origin
from doorward.features.oauth.authorize.rules.response import AuthResponse, failure, success
from tests.features import made


def asked(state: str | None, target: str = made.REDIRECT) -> Origin:
    return Origin(made.client(), target, "query", state, given=True)


def answer(state: str | None = "st", target: str = made.REDIRECT) -> AuthResponse:
    return success(asked(state, target), issuer=made.ISSUER, code="dw_ac_x", app_name="web")


@pytest.mark.requirement(8)
def test_a_code_comes_with_state_and_issuer() -> None:
    assert answer().fields == {"code": "dw_ac_x", "state": "st", "iss": made.ISSUER}
    assert answer().url == f"{made.REDIRECT}?code=dw_ac_x&state=st&iss=https%3A%2F%2Fauth.example.com"
    assert "state" not in answer(None).fields


@pytest.mark.requirement(8)
def test_an_error_comes_with_state_and_issuer_and_without_the_logged_reason() -> None:
    refusal = OAuthError("access_denied", "The person did not agree.", "a secret of the house")
    response = failure(asked(""), issuer=made.ISSUER, error=refusal, app_name="web")
    assert response.fields == {
        "error": "access_denied",
        "error_description": "The person did not agree.",
        "state": "",
        "iss": made.ISSUER,
    }
    assert "secret" not in response.url


@pytest.mark.parametrize(
    ("target", "begin"),
    [
        ("https://a.example/cb?kept=1&x=%2f", "https://a.example/cb?kept=1&x=%2f&code="),
        ("com.example.app:/cb", "com.example.app:/cb?code="),
        ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152/cb?code="),
        ("http://[::1]:49152", "http://[::1]:49152?code="),
        ("https://a.example//x", "https://a.example//x?code="),
    ],
)
def test_an_existing_query_of_the_redirect_uri_is_kept(target: str, begin: str) -> None:
    assert answer(target=target).url.startswith(begin)


@given(st.text().filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_state_cannot_escape_from_its_parameter(state: str) -> None:
    url = answer(state).url
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(" \"'<>\r\n#")
    assert urlsplit(url).netloc == "app.example.com"
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("code", "dw_ac_x"), ("state", state), ("iss", made.ISSUER)]
