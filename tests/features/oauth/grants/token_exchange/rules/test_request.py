"""Form of a token exchange (RFC 8693 §2.1): which parameters go together."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.grants.token_exchange.rules import request as rule
from doorward.features.oauth.grants.token_exchange.rules.request import (
    ACCESS_TOKEN,
    ID_TOKEN,
    JWT,
    REFRESH_TOKEN,
    ExchangeRequest,
    parse,
)
from doorward.features.oauth.tokens.rules.id_jag import TOKEN_TYPE as ID_JAG


def form(**changes: str | None) -> dict[str, str]:
    given = {"subject_token": "hush", "subject_token_type": ACCESS_TOKEN, **changes}
    return {name: value for name, value in given.items() if value is not None}


def test_what_is_asked_for_is_an_access_token_unless_it_is_named() -> None:
    asked = parse(form(audience="a", resource="r", scope="s"))
    assert isinstance(asked, ExchangeRequest)
    assert (asked.subject, asked.issued, asked.assertion) == ("access_token", ACCESS_TOKEN, False)
    assert (asked.audience, asked.resource, asked.scope) == ("a", "r", "s")
    assert "hush" not in repr(asked)
    jag = parse(form(subject_token_type=ID_TOKEN, requested_token_type=ID_JAG))
    assert isinstance(jag, ExchangeRequest)
    assert jag.assertion


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"subject_token_type": "access_token"},
        {"actor_token": "a"},
        {"actor_token_type": ACCESS_TOKEN},
        {"actor_token": "a", "actor_token_type": REFRESH_TOKEN},
        {"actor_token": "a", "actor_token_type": ID_TOKEN},
        {"requested_token_type": REFRESH_TOKEN},
        {"requested_token_type": ID_TOKEN},
        {"requested_token_type": ID_JAG},
        {"subject_token_type": JWT, "requested_token_type": ID_JAG},
        {
            "subject_token_type": ID_TOKEN,
            "requested_token_type": ID_JAG,
            "actor_token": "a",
            "actor_token_type": ACCESS_TOKEN,
        },
    ],
)
def test_parameters_that_do_not_go_together_are_refused(changes: dict[str, str | None]) -> None:
    error = parse(form(**changes))
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_request"


@pytest.mark.requirement(39)
@pytest.mark.parametrize("wanted", [None, ACCESS_TOKEN, JWT])
def test_an_id_token_is_never_exchanged_for_access(wanted: str | None) -> None:
    assert isinstance(parse(form(subject_token_type=ID_TOKEN, requested_token_type=wanted)), OAuthError)


def test_every_parameter_that_is_read_is_declared() -> None:
    assert set(rule.PARAMETERS) >= {"subject_token", "actor_token", "resource", "audience", "scope"}
