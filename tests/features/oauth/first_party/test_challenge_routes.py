"""JSON sign-in over HTTP: the same factors as on the pages, for first-party apps only."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.model.policy import ThrottlePolicy
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.front_channel import CODE_CHALLENGE, Front, front_channel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
APP = made.public(id="app_tv", name="tv", first_party=True, redirect_uris=())
APPS = (APP,)
BEGIN = {
    "client_id": "app_tv",
    "scope": "openid orders:read",
    "code_challenge": CODE_CHALLENGE,
    "code_challenge_method": "S256",
}
ADA = {"username": "ada@example.com", "password": PASSWORD}


async def call(
    front: Front, params: dict[str, Any], *, as_json: bool = True, **headers: str
) -> dict[str, Any]:
    """One call from an arbitrary address; the answer with its `status`."""
    if as_json:
        body = msgspec.json.encode(params)
        page = await front.browser().ask(
            "POST", "/authorize-challenge", body=body, **{"content_type": "application/json", **headers}
        )
    else:
        page = await front.browser().ask("POST", "/authorize-challenge", form=params, **headers)
    assert page.header("cache-control") == "no-store"
    assert page.header("set-cookie") is None
    answer = msgspec.json.decode(page.text)
    assert isinstance(answer, dict)
    return {"status": page.status, "retry-after": page.header("retry-after"), **answer}


@pytest.mark.parametrize("as_json", [True, False])
async def test_credentials_are_exchanged_for_a_code(front: Front, as_json: bool) -> None:
    answer = await call(front, {**BEGIN, **ADA}, as_json=as_json)
    assert answer["status"] == 200
    tokens = await front.redeem(APP, answer["authorization_code"])
    assert tokens["status"] == 200
    assert tokens["scope"] == "openid orders:read"


async def test_a_sign_in_in_several_steps(front: Front) -> None:
    begun = await call(front, BEGIN)
    assert begun["status"] == 403
    assert begun["error"] == "insufficient_authorization"
    assert begun["next"] == "password"
    handle = {"client_id": "app_tv", "auth_session": begun["auth_session"]}
    answer = await call(front, {**handle, **ADA})
    assert answer["status"] == 200
    again = await call(front, {**handle, **ADA})
    assert again["error"] == "invalid_session"


@pytest.mark.requirement(85)
async def test_a_second_factor_can_never_be_skipped(front: Front) -> None:
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.authenticator(account)
    answer = await call(front, {**BEGIN, **ADA})
    assert (answer["status"], answer["next"]) == (403, "second_factor")
    assert "authorization_code" not in answer
    handle = {"client_id": "app_tv", "auth_session": answer["auth_session"]}
    for tried in (
        {},
        ADA,
        {"code": "000000"},
        {"code": ""},
        {**ADA, "code": "000000"},
        {"acr_values": "urn:doorward:aal1"},
    ):
        answer = await call(front, {**handle, **tried})
        assert answer["status"] == 403
        assert answer["next"] == "second_factor"
    code = front.code()
    answer = await call(front, {**handle, "code": code})
    assert answer["status"] == 200
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert grant.acr == "urn:doorward:aal2"
    used = await call(front, {**BEGIN, **ADA, "code": code})
    assert used["status"] == 403


@pytest.mark.requirement(85)
async def test_a_code_before_the_password_proves_nothing(front: Front) -> None:
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.authenticator(account)
    begun = await call(front, BEGIN)
    handle = {"client_id": "app_tv", "auth_session": begun["auth_session"]}
    answer = await call(front, {**handle, "code": front.code()})
    assert "authorization_code" not in answer
    both = await call(front, {**BEGIN, **ADA, "code": front.code()})
    assert both["status"] == 200


async def test_a_right_password_with_a_wrong_code_is_kept(front: Front) -> None:
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.authenticator(account)
    answer = await call(front, {**BEGIN, **ADA, "code": "000000"})
    assert (answer["error"], answer["next"]) == ("access_denied", "second_factor")


@pytest.mark.requirement(80)
async def test_wrong_and_unknown_credentials_get_the_same_answer(front: Front) -> None:
    gone = await front.person(id="usr_eve", email="eve@example.com")
    await front.change(gone, disabled_at=front.now)
    answers: list[dict[str, Any]] = []
    for username, password in (
        ("ada@example.com", "wrong"),
        ("bob@example.com", "wrong"),
        ("eve@example.com", "wrong"),
    ):
        answer = await call(front, {**BEGIN, "username": username, "password": password})
        answer.pop("auth_session")
        for step in answer["acceptable"]:
            # each answer has a new challenge, of one length
            assert len(step.get("options", {}).pop("challenge", "c" * 54)) == 54
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["error_description"] == "That email and password don't match."
    right = await call(front, {**BEGIN, "username": "eve@example.com", "password": PASSWORD})
    assert right["error_description"] == "This account is disabled. Ask the people who run this service."


@pytest.mark.requirement(95)
async def test_an_app_keeps_a_device_token_that_makes_its_device_known(front: Front) -> None:
    first = await call(front, {**BEGIN, **ADA})
    assert len(first["device_token"]) == 43
    mails = await front.store.messages.recent_mail()
    assert [mail.kind for mail in mails] == ["new_device"]
    again = await call(front, {**BEGIN, **ADA, "device_token": first["device_token"]})
    assert again["status"] == 200
    assert again["authorization_code"].startswith("dw_ac_")
    assert "device_token" not in again
    assert len(await front.store.messages.recent_mail()) == 1
    # a forged token makes no device known
    assert "device_token" in await call(front, {**BEGIN, **ADA, "device_token": "x" * 500})
    assert len(await front.store.messages.recent_mail()) == 2


@pytest.mark.requirement(85)
async def test_a_handle_of_one_app_does_not_work_for_another(front: Front) -> None:
    other = await front.register(made.public(id="app_other", name="other", first_party=True))
    begun = await call(front, BEGIN)
    for who in (other.id, "app_nobody"):
        answer = await call(front, {"client_id": who, "auth_session": begun["auth_session"], **ADA})
        assert "authorization_code" not in answer
    for handle in ("", "x", begun["auth_session"] + "x", begun["auth_session"].upper()):
        answer = await call(front, {"client_id": "app_tv", "auth_session": handle, **ADA})
        assert "authorization_code" not in answer
    front.clock.time += 1800
    late = await call(front, {"client_id": "app_tv", "auth_session": begun["auth_session"], **ADA})
    assert late["error"] == "invalid_session"


async def test_a_browser_sign_in_id_is_not_a_handle(front: Front) -> None:
    tab = front.browser()
    page = await tab.get(front.asking(made.client()))
    flow = (page.header("location") or "").partition("flow=")[2]
    answer = await call(front, {"client_id": "app_tv", "auth_session": flow, **ADA})
    assert answer["error"] == "invalid_session"


async def test_only_first_party_apps_with_client_authentication_are_accepted(front: Front) -> None:
    answer = await call(front, {**BEGIN, **ADA, "client_id": "app_web"})
    assert (answer["status"], answer["error"]) == (401, "invalid_client")
    secret = {"client_id": "app_post", "client_secret": made.SECRET}
    await front.register(made.client(id="app_post", name="post", auth_method="client_secret_post"))
    answer = await call(front, {**BEGIN, **ADA, **secret})
    assert (answer["status"], answer["error"]) == (400, "unauthorized_client")
    await front.register(
        made.client(id="app_post", name="post", auth_method="client_secret_post", first_party=True)
    )
    answer = await call(front, {**BEGIN, **ADA, **secret})
    assert answer["status"] == 200
    answer = await call(front, {**BEGIN, **ADA, **secret, "client_secret": "wrong"})
    assert answer["status"] == 401


@pytest.mark.requirement(4)
async def test_pkce_is_required_here_too(front: Front) -> None:
    answer = await call(front, {"client_id": "app_tv", "scope": "openid", **ADA})
    assert (answer["status"], answer["error"]) == (400, "invalid_request")


async def test_prompt_consent_requires_a_page(front: Front) -> None:
    answer = await call(front, {**BEGIN, **ADA, "prompt": "consent"})
    assert (answer["status"], answer["error"]) == (400, "interaction_required")
    answer = await call(front, {**BEGIN, "prompt": "none"})
    assert answer["error"] == "login_required"


async def test_an_app_registered_for_one_response_mode_can_sign_in_here(front: Front) -> None:
    for modes in (("query",), ("form_post",)):
        await front.register(
            made.public(id="app_tv", first_party=True, redirect_uris=(), response_modes=modes)
        )
        assert (await call(front, {**BEGIN, **ADA}))["status"] == 200
        assert (await call(front, {**BEGIN, **ADA, "response_mode": "query"}))["status"] == 200


@pytest.mark.requirement(81)
async def test_guessing_is_throttled_and_the_answer_says_until_when() -> None:
    async with front_channel(throttle=ThrottlePolicy(per_account=3)) as front:
        await front.person()
        await front.register(APP)
        for _ in range(3):
            answer = await call(front, {**BEGIN, **ADA, "password": "wrong"})
            assert answer["status"] == 403
        answer = await call(front, {**BEGIN, **ADA})
        assert (answer["status"], answer["error"]) == (429, "too_many_attempts")
        assert answer["retry_at"] == front.now + int(answer["retry-after"])


@pytest.mark.requirement(9)
async def test_a_repeated_member_or_parameter_is_refused(front: Front) -> None:
    for body, kind in (
        (b'{"client_id":"app_tv","client_id":"app_other"}', "application/json"),
        (b"client_id=app_tv&client_id=app_other", "application/x-www-form-urlencoded"),
    ):
        page = await front.browser().ask("POST", "/authorize-challenge", body=body, content_type=kind)
        assert page.status == 400
        assert msgspec.json.decode(page.text)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"null", b'{"client_id":{}}', b'{"client_id":true}',
     b'{"client_id":1.5}', b'{"client_id":"\\u0000"}', b'{"client_id":"\\ud800"}', b'{"a":' + b"1" * 5000 + b"}",
     b'{"a":' * 3000, b"\xff", b'{"client_id":"app_tv"} x'],
)  # fmt: skip
async def test_an_unreadable_body_is_a_bad_request(front: Front, body: bytes) -> None:
    page = await front.browser().ask(
        "POST", "/authorize-challenge", body=body, content_type="application/json"
    )
    assert page.status == 400
    assert msgspec.json.decode(page.text)["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["code", "password", "username"])
async def test_typed_members_must_be_strings(front: Front, name: str) -> None:
    page = await front.browser().ask(
        "POST",
        "/authorize-challenge",
        body=msgspec.json.encode({**BEGIN, name: 12345}),
        content_type="application/json",
    )
    assert page.status == 400
    said = msgspec.json.decode(page.text)
    assert said["error"] == "invalid_request"
    assert said["error_description"].startswith(f"{name} must be text")


async def test_a_null_member_counts_as_omitted(front: Front) -> None:
    plain = await begin(front, BEGIN)
    nulls = await begin(front, {**BEGIN, "code": None, "password": None, "max_age": None, "x": None})
    assert (plain.status, nulls.status) == (403, 403)
    assert msgspec.json.decode(nulls.text)["next"] == msgspec.json.decode(plain.text)["next"]
    without = await begin(front, {**BEGIN, "client_id": None})
    assert without.status in {400, 401}


async def begin(front: Front, members: dict[str, Any]) -> Page:
    return await front.browser().ask(
        "POST", "/authorize-challenge", body=msgspec.json.encode(members), content_type="application/json"
    )


NAMES = st.sampled_from(
    [*BEGIN, *ADA, "code", "auth_session", "client_secret", "prompt", "claims", "max_age", "resource", "x"]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.booleans(),
    st.none(),
    st.sampled_from([*BEGIN.values(), "9" * 5000]),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, VALUES, max_size=5))
async def test_arbitrary_members_get_an_answer(front: Front, changes: dict[str, Any]) -> None:
    body = msgspec.json.encode({**BEGIN, **changes})
    page = await front.browser().ask(
        "POST", "/authorize-challenge", body=body, content_type="application/json"
    )
    assert page.status in {400, 401, 403, 429}
    assert "authorization_code" not in page.text
