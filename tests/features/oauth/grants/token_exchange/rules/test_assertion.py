"""Rules for issuing an ID-JAG: from which ID token, to which server, for what."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.json import encode

from doorward.core.errors import OAuthError
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.features.oauth.grants.token_exchange.rules import assertion as rule
from doorward.features.oauth.grants.token_exchange.rules.assertion import AssertionTarget
from doorward.features.oauth.grants.token_exchange.rules.request import ExchangeRequest
from doorward.features.oauth.tokens.rules.id_jag import TOKEN_TYPE
from doorward_verify import jwk, jws
from doorward_verify.keyset import key_set
from tests.features import made

THERE = "https://auth.partner.example"
POLICY = ExchangePolicy(id_jag={THERE: IdJagTarget(client_id="theirs", scopes=("read", "write"))})
KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()))
KEYS = key_set(made.ISSUER, [KEY.public()])


def aimed(client: Any = None, **changes: Any) -> AssertionTarget | OAuthError:
    values: dict[str, Any] = {
        "subject_token": "t",
        "subject": "id_token",
        "issued": TOKEN_TYPE,
        "actor_token": None,
        "audience": THERE,
        "resource": None,
        "scope": None,
    }
    asked = ExchangeRequest(**{**values, **changes})
    return rule.target(asked, client=client or made.client(), policy=POLICY, issuer=made.ISSUER)


def code(answer: object) -> str:
    assert isinstance(answer, OAuthError), answer
    return answer.code


def test_the_app_has_its_name_and_scopes_there() -> None:
    assert aimed() == AssertionTarget(
        audience=THERE, client_id="theirs", resource=None, scopes=("read", "write")
    )
    few = aimed(audience=THERE + "/", scope="read", resource="https://api.partner.example/v1")
    assert isinstance(few, AssertionTarget)
    assert (few.audience, few.scopes, few.resource) == (THERE, ("read",), "https://api.partner.example/v1")


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"audience": None}, "invalid_target"),
        ({"audience": "https://auth.other.example"}, "invalid_target"),
        ({"audience": made.ISSUER}, "invalid_target"),
        ({"resource": "relative"}, "invalid_target"),
        ({"resource": "https://a.example/#f"}, "invalid_target"),
        ({"resource": "https://a.example/ b"}, "invalid_target"),
        ({"resource": "https://a.example/" + "x" * 2000}, "invalid_target"),
        ({"scope": "read admin"}, "invalid_scope"),
        ({"client": made.public()}, "unauthorized_client"),
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any], expected: str) -> None:
    assert code(aimed(**changes)) == expected


def id_token(*, typ: str = "JWT", key: jwk.SigningKey = KEY, **changes: Any) -> str:
    claims = {
        "iss": made.ISSUER,
        "sub": "usr_ada",
        "aud": "app_web",
        "iat": made.NOW,
        "exp": made.NOW + 300,
        "auth_time": made.NOW,
        "acr": "one",
        "amr": ["pwd"],
        "at_hash": "h",
        **changes,
    }
    left = {name: value for name, value in claims.items() if value is not None}
    return jws.sign(encode(left), key, typ=typ)


def read(token: str) -> Any:
    return rule.of_id_token(token, KEYS, issuer=made.ISSUER, client=made.client(), now=made.NOW)


def test_an_id_token_of_this_app_is_read() -> None:
    assert read(id_token())["sub"] == "usr_ada"


@pytest.mark.requirement(39)
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "app_other"},
        {"aud": ["app_web", "app_other"]},
        {"exp": made.NOW},
        {"exp": None},
        {"iss": "https://other.example"},
        {"at_hash": None},
        {"at_hash": None, "client_id": "app_web", "jti": "grt_one.u", "scope": ""},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"key": jwk.signing_key(ec.generate_private_key(ec.SECP256R1()))},
    ],
)
def test_other_tokens_are_no_id_tokens_of_this_app(changes: dict[str, Any]) -> None:
    assert code(read(id_token(**changes))) == "invalid_request"


def test_text_is_no_token() -> None:
    assert code(read("nonsense")) == "invalid_request"
