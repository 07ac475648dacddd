"""Parsing of a request's client credential: exact, and refused where ambiguous."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.features.oauth.client_auth.method import Presented
from doorward.features.oauth.client_auth.methods.private_key_jwt.rules import JWT_BEARER
from doorward.features.oauth.client_auth.rules.credentials import CredentialReader
from doorward.features.oauth.index import CLIENT_AUTH_METHODS
from doorward_verify.encoding import b64url_encode
from tests.features import made

READER = CredentialReader(methods=CLIENT_AUTH_METHODS)


def read(header: str | None, form: dict[str, str]) -> Presented | OAuthError:
    return READER.read(made.token_request(form, authorization=header))


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


def assertion(payload: bytes) -> str:
    return f"{b64url_encode(b'{}')}.{b64url_encode(payload)}.x"


@given(st.text(min_size=1, max_size=60).filter(lambda t: "\x00" not in t), st.text(max_size=60))
def test_basic_credentials_are_form_decoded(client_id: str, secret: str) -> None:
    client_id, secret = (text.encode("utf-8", "ignore").decode() for text in (client_id, secret))
    if client_id:
        found = read(basic(f"{quote_plus(client_id)}:{quote_plus(secret)}"), {})
        assert isinstance(found, Presented)
        assert found.method == "client_secret_basic"
        assert found.client_id == client_id
        assert found.secret is not None
        assert found.secret.reveal() == secret


@given(st.text())
def test_any_authorization_header_is_parsed_or_refused(header: str) -> None:
    assert isinstance(read(header, {}), Presented | OAuthError)


@given(st.dictionaries(st.sampled_from(["client_id", "client_secret", "client_assertion"]), st.text()))
def test_any_form_is_parsed_or_refused(form: dict[str, str]) -> None:
    assert isinstance(read(None, form), Presented | OAuthError)
    assert isinstance(read(None, {**form, "client_assertion_type": JWT_BEARER}), Presented | OAuthError)


def test_a_secret_in_the_body_and_no_credential_are_distinguished() -> None:
    post = read(None, {"client_id": "a", "client_secret": "s"})
    assert isinstance(post, Presented)
    assert (post.method, post.client_id) == ("client_secret_post", "a")
    none = read(None, {"client_id": "a"})
    assert none == Presented("none", "a")


def test_the_subject_of_an_assertion_selects_the_app() -> None:
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion(b'{"sub":"app_a"}')}
    found = read(None, form)
    assert isinstance(found, Presented)
    assert (found.method, found.client_id) == ("private_key_jwt", "app_a")
    assert isinstance(read(None, {**form, "client_id": "app_a"}), Presented)
    assert isinstance(read(None, {**form, "client_id": "app_b"}), OAuthError)


@pytest.mark.parametrize(
    "payload", [b'{"sub":1}', b"[]", b"{}", b'{"sub":""}', b'{"sub":"a","sub":"b"}', b"x"]
)
def test_an_assertion_without_exactly_one_readable_subject_is_refused(payload: bytes) -> None:
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion(payload)}
    found = read(None, form)
    assert isinstance(found, OAuthError)
    assert found.code == "invalid_client"


@pytest.mark.requirement(24)
@pytest.mark.parametrize(
    ("header", "form"),
    [
        (basic("a:b"), {"client_secret": "b"}),
        (basic("a:b"), {"client_assertion": "x"}),
        (basic("a:b"), {"client_id": "other"}),
        (None, {"client_secret": "b", "client_assertion": "x", "client_assertion_type": JWT_BEARER}),
        (None, {"client_assertion": "x", "client_assertion_type": "urn:other"}),
    ],
)
def test_several_or_unknown_methods_are_an_invalid_request(header: str | None, form: dict[str, str]) -> None:
    found = read(header, form)
    assert isinstance(found, OAuthError)
    assert found.code == "invalid_request"


def test_a_credential_is_never_printed() -> None:
    assert "hush" not in repr(read(None, {"client_id": "a", "client_secret": "hush"}))


@pytest.mark.parametrize(
    "form", [{"client_id": "a" * 600}, {"client_id": "a", "client_secret": "s" * 600}, {}]
)
def test_an_oversized_or_missing_client_id_or_secret_is_an_invalid_client(form: dict[str, str]) -> None:
    found = read(None, form)
    assert isinstance(found, OAuthError)
    assert found.code == "invalid_client"
