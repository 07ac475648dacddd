"""OpenID Connect parameters of an authorization request: read as specified, and bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.features.oauth.authorize.rules import openid

AAL2 = "urn:doorward:aal2"


@pytest.mark.requirement(13)
def test_prompt_values_are_parsed_or_refused() -> None:
    assert openid.prompt(None) == frozenset()
    assert openid.prompt("login consent login") == {"login", "consent"}
    assert openid.prompt("none") == {"none"}
    for bad in ("none login", "often", "login,consent", "LOGIN"):
        assert isinstance(openid.prompt(bad), OAuthError), bad


@pytest.mark.requirement(13)
@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("0", 0), ("300", 300), ("000300", 300)])
def test_max_age_is_in_seconds(text: str | None, seconds: int | None) -> None:
    assert openid.max_age(text) == seconds


@pytest.mark.requirement(13)
@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "1.5",
        "1e3",
        " 1",
        "1_000",
        "٣",
        "²",
        "",
        "315360001",
        "9" * 13,
        "0" * 12 + "9" * 5000,
        "9" * 60_000,
    ],
)
def test_a_max_age_that_is_not_a_number_of_seconds_is_refused(text: str) -> None:
    refused = openid.max_age(text)
    assert isinstance(refused, OAuthError)
    assert len(refused.reason) < 200


@pytest.mark.requirement(13)
def test_display_and_ui_locales_are_parsed() -> None:
    assert openid.display(None) == "page"
    assert openid.display("popup") == "popup"
    assert isinstance(openid.display("hologram"), OAuthError)
    assert openid.locales(None) == ()
    assert openid.locales("de-AT fr-CA <script> en ../../etc x" + " a" * 50)[:3] == ("de-AT", "fr-CA", "en")
    assert len(openid.locales(" ".join(["de"] * 50))) == 10


@pytest.mark.requirement(13)
def test_claims_hold_the_requests_for_userinfo_and_id_token() -> None:
    asked = (
        '{"userinfo":{"email":null,"name":{"essential":true}},"id_token":{"acr":{"values":["a"]}},"else":[1]}'
    )
    assert openid.claims(asked) == {
        "userinfo": {"email": None, "name": {"essential": True}},
        "id_token": {"acr": {"values": ["a"]}},
    }
    assert openid.claims(None) == {}
    assert openid.claims("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "1",
        '"x"',
        "{",
        '{"userinfo":[]}',
        '{"userinfo":1}',
        '{"id_token":{"acr":"x"}}',
        '{"id_token":{"acr":[]}}',
        '{"id_token":{"x":{"value":1e999}}}',
        '{"id_token":{"x":"\\ud800"}}',
        '{"a":' * 5000 + "1" + "}" * 5000,
        "\ud800",
    ],
)
def test_malformed_claims_are_refused(text: str) -> None:
    refused = openid.claims(text)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_request"


@given(st.text(max_size=200))
def test_any_claims_text_is_handled_without_an_exception(text: str) -> None:
    assert isinstance(openid.claims(text), dict | OAuthError)


@pytest.mark.requirement(13, 38)
def test_essential_acr_values_are_read_from_the_claims() -> None:
    def of(wish: object) -> tuple[str, ...] | None:
        return openid.essential_acr({"id_token": {"acr": wish}})

    assert openid.essential_acr({}) is None
    assert of(None) is None
    assert of({"values": [AAL2]}) is None
    assert of({"essential": False, "value": AAL2}) is None
    assert of({"essential": True, "value": AAL2}) == (AAL2,)
    assert of({"essential": True, "values": ["x", AAL2]}) == ("x", AAL2)
    # any level suffices: only the presence of the claim is required
    assert of({"essential": True}) is None
    # a malformed request never lowers the required level
    assert of({"essential": True, "values": []}) == ()
    assert of({"essential": True, "values": AAL2}) == ()
    assert of({"essential": True, "values": [1, None, AAL2]}) == (AAL2,)
    assert of({"essential": True, "value": 2}) == ()


@pytest.mark.requirement(13)
def test_claims_may_require_a_certain_subject() -> None:
    assert openid.asked_subject({"id_token": {"sub": {"value": "usr_ada"}}}) == "usr_ada"
    for claims in (
        {},
        {"id_token": {"sub": None}},
        {"id_token": {"sub": {"value": 1}}},
        {"userinfo": {"sub": {"value": "u"}}},
    ):
        assert openid.asked_subject(claims) is None
