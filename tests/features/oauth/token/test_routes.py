"""The token endpoint over HTTP: standard responses to any request."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.model.client import ClientSecret
from doorward.features.oauth.index import GRANT_TYPES
from doorward.features.oauth.token import routes as token
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, basic
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
HEADERS = {"authorization": basic(made.client())}
FORM = {"grant_type": "client_credentials", "scope": "orders:read"}


@pytest.fixture
def asgi(channel: BackChannel) -> Asgi:
    return Asgi(
        token.routes(tokens=channel.tokens, clock=channel.clock, issuer=made.ISSUER, grant_types=GRANT_TYPES)
    )


@pytest.mark.requirement(25)
async def test_a_token_response_is_json_with_no_store(asgi: Asgi) -> None:
    answer = await asgi("POST", "/token", form=FORM, headers=HEADERS)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json["token_type"] == "Bearer"


async def test_a_refresh_response_has_all_members(asgi: Asgi, channel: BackChannel) -> None:
    await channel.person()
    raw, _ = await channel.family()
    form = {"grant_type": "refresh_token", "refresh_token": raw}
    answer = await asgi("POST", "/token", form=form, headers=HEADERS)
    assert answer.json.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "refresh_token",
        "id_token",
    }


@pytest.mark.requirement(25)
async def test_an_error_is_json_with_no_store_and_challenges_a_basic_client(asgi: Asgi) -> None:
    wrong = {"authorization": "Basic " + b64encode(b"app_web:wrong").decode()}
    answer = await asgi("POST", "/token", form=FORM, headers=wrong)
    assert answer.status == 401
    assert answer.json == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["cache-control"] == "no-store"
    body = await asgi("POST", "/token", form={**FORM, "client_id": "app_web", "client_secret": "wrong"})
    assert body.status == 401
    assert "www-authenticate" not in body.headers
    for _ in range(25):
        answer = await asgi("POST", "/token", form=FORM, headers=wrong)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0
    assert (await asgi("POST", "/token", form=FORM, headers=HEADERS)).status == 200


async def test_an_empty_parameter_counts_as_omitted(asgi: Asgi, channel: BackChannel) -> None:
    await channel.person()
    raw, _ = await channel.family(client_id="app_spa")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": raw,
        "scope": "",
        "resource": "",
        "client_secret": "",
    }
    answer = await asgi("POST", "/token", form={**form, "client_id": "app_spa"})
    assert answer.status == 200
    assert answer.json["scope"] == "openid email orders:read"
    assert (await asgi("POST", "/token", form={**FORM, "grant_type": ""}, headers=HEADERS)).json == {
        "error": "invalid_request",
        "error_description": "grant_type is missing.",
    }


@pytest.mark.requirement(9)
async def test_a_repeated_parameter_is_refused(asgi: Asgi) -> None:
    twice = urlencode([*FORM.items(), ("scope", "orders:write")])
    answer = await asgi("POST", "/token", form=twice, headers=HEADERS)
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"


async def test_credentials_in_basic_are_form_decoded(asgi: Asgi, channel: BackChannel) -> None:
    odd = "a+b c:ü%20"
    await channel.put(made.client(secrets=(ClientSecret(sha256(odd.encode()).digest(), made.NOW),)))
    coded = b64encode(f"app_web:{quote_plus(odd)}".encode()).decode()
    answer = await asgi("POST", "/token", form=FORM, headers={"authorization": f"Basic {coded}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
        "Basic " + b64encode(b"%ff:x").decode(),
        "Basic " + b64encode(b":x").decode(),
        "Basic " + b64encode(b"a:" + b"x" * 9000).decode(),
        "Bearer abc",
        "",
    ],
)
async def test_an_unreadable_authorization_header_is_an_invalid_client(asgi: Asgi, header: str) -> None:
    answer = await asgi("POST", "/token", form=FORM, headers={"authorization": header})
    assert answer.status == 401
    assert answer.json["error"] == "invalid_client"


@pytest.mark.requirement(24)
async def test_two_authentication_methods_in_one_request_are_refused(asgi: Asgi) -> None:
    answer = await asgi("POST", "/token", form={**FORM, "client_secret": made.SECRET}, headers=HEADERS)
    assert answer.status == 400
    answer = await asgi("POST", "/token", form={**FORM, "client_id": "app_spa"}, headers=HEADERS)
    assert answer.status == 400


async def test_only_parameters_in_the_body_count(asgi: Asgi) -> None:
    query = urlencode({**FORM, "client_id": "app_web", "client_secret": made.SECRET})
    answer = await asgi("POST", "/token", form="", query=query)
    assert answer.status == 400
    assert (await asgi("GET", "/token", query=query)).status == 405
    wrong_type = await asgi(
        "POST",
        "/token",
        body=b'{"grant_type":"client_credentials"}',
        headers={"content-type": "application/json"},
    )
    assert wrong_type.status == 400
    assert (await asgi("POST", "/token", form="grant_type=" + "x" * 70_000)).status == 413


async def test_any_origin_is_allowed_by_cors_but_without_credentials(asgi: Asgi) -> None:
    answer = await asgi("POST", "/token", form=FORM, headers=HEADERS)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


NAMES = st.sampled_from(
    [
        "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource", "client_id",
        "client_secret", "client_assertion", "client_assertion_type", "x",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["authorization_code", "refresh_token", "client_credentials", "app_web", "app_spa", made.SECRET, "a.b.c",
         "dw_rt_x", "dw_ac_x", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "e30.e30.e30", "\ud800"]
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(NAMES, VALUES),
    header=st.one_of(st.none(), st.just(HEADERS["authorization"]), st.text()),
)
async def test_arbitrary_requests_get_an_answer(asgi: Asgi, form: dict[str, str], header: str | None) -> None:
    body = urlencode(form, errors="surrogatepass")
    headers = (
        {} if header is None else {"authorization": header.encode("latin-1", "ignore").decode("latin-1")}
    )
    answer = await asgi("POST", "/token", form=body, headers=headers)
    assert answer.status in {200, 400, 401, 429}
    if answer.status != 200:
        assert answer.json.keys() == {"error", "error_description"}
        assert made.SECRET not in answer.body.decode()


@pytest.mark.requirement(9)
async def test_two_authorization_headers_are_refused() -> None:
    from doorward.web.http import BadForm, Request
    from doorward.web.oauth_endpoint import token_request

    scope = {
        "method": "POST",
        "path": "/token",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"authorization", b"Basic YTpi"),
            (b"authorization", b"Basic YTpj"),
        ],
    }
    with pytest.raises(BadForm):
        await token_request(Request(scope, b"a=b"), url=f"{made.ISSUER}/token", now=made.NOW)
