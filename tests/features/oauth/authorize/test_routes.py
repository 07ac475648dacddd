"""The authorization endpoint over HTTP: pages for the person, responses for the app."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.model.config_snapshot import Role
from doorward.features.authn.flow.pages import LONGEST_QUERY
from tests.browsing import SESSION
from tests.features import made
from tests.front_channel import Front
from tests.tabs import said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
OWN = made.client(id="app_own", name="own", first_party=True, redirect_uris=("https://own.example.com/cb",))
APPS = (OWN,)


async def test_a_full_sign_in_leads_to_a_code_and_tokens(front: Front) -> None:
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(made.client())))
    page = await tab.on(page)
    assert "Connect" in page.words
    page = await tab.submit(page, "consent", decision="allow")
    answer = said(page)
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["state"] == "st"
    tokens = await front.redeem(made.client(), answer["code"], redirect_uri=made.REDIRECT)
    assert tokens["status"] == 200
    assert tokens["scope"] == "openid orders:read"


@pytest.mark.requirement(8)
async def test_codes_and_errors_name_the_issuer(front: Front) -> None:
    tab = await front.signed_in()
    assert said(await tab.get(front.asking(OWN)))["iss"] == made.ISSUER
    refused = said(await tab.get(front.asking(OWN, scope="nonsense")))
    assert refused["error"] == "invalid_scope"
    assert refused["iss"] == made.ISSUER
    assert refused["state"] == "st"


@pytest.mark.requirement(1, 2)
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "app_nobody"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": made.REDIRECT + "/"},
        {"redirect_uri": None},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
async def test_an_unknown_app_or_redirect_uri_gets_a_page_and_no_redirect(
    front: Front, changes: dict[str, str | None]
) -> None:
    for tab in (front.browser(), await front.signed_in()):
        for page in (
            await tab.get(front.asking(made.client(), **changes)),
            await tab.on(await tab.post("/authorize", front.params(made.client(), **changes))),
        ):
            assert page.status == 400
            assert page.header("location") is None
            assert "http-equiv" not in page.text
            assert "evil.example" not in page.text
            assert page.header("content-type") == "text/html; charset=utf-8"


@pytest.mark.requirement(9)
async def test_a_repeated_parameter_gets_an_error_page(front: Front) -> None:
    tab = await front.signed_in()
    base = front.params(OWN)
    for name, value in (*base.items(), ("unknown", "x")):
        twice = urlencode([*base.items(), (name, value), ("unknown", "x")])
        for page in (
            await tab.ask("GET", f"/authorize?{twice}"),
            await tab.ask("POST", "/authorize", form=twice),
        ):
            assert page.status == 400, name
            assert page.header("location") is None


@pytest.mark.requirement(9)
async def test_a_post_reads_only_the_body(front: Front) -> None:
    tab = await front.signed_in()
    query = urlencode({"redirect_uri": "https://evil.example/cb", "state": "other", "scope": "openid email"})
    page = await tab.post(f"/authorize?{query}", front.params(OWN))
    assert sent_to(page).startswith(OWN.redirect_uris[0])
    assert said(page)["state"] == "st"
    page = await tab.post(front.asking(OWN), {})
    assert page.status == 400


@pytest.mark.requirement(75)
async def test_silent_renewal_survives_a_key_rotation_but_no_key_revocation(front: Front) -> None:
    tab = await front.signed_in()
    tokens = await front.redeem(OWN, said(await tab.get(front.asking(OWN)))["code"])
    asking = front.asking(OWN, prompt="none", id_token_hint=tokens["id_token"])
    await front.rotate_out()
    answer = said(await tab.get(asking))
    assert "code" in answer, answer
    (key,) = [key for key in front.services.config.current().keys if key.state == "retired"]
    assert await front.store.commit(front.store.registry.move_key(key.id, "retired", "revoked", front.now))
    await front.services.config.refresh()
    assert said(await tab.get(asking))["error"] == "invalid_request"


async def test_an_empty_parameter_counts_as_omitted(front: Front) -> None:
    tab = await front.signed_in()
    empty = dict.fromkeys(
        ("prompt", "max_age", "claims", "display", "id_token_hint", "request", "request_uri", "resource",
         "response_mode", "ui_locales", "login_hint", "acr_values", "state", "nonce"), ""
    )  # fmt: skip
    answer = said(await tab.get(front.asking(OWN, **empty)))
    assert answer.keys() == {"code", "iss"}


@pytest.mark.requirement(14)
async def test_form_post_returns_the_response_in_a_form_and_not_in_the_address(front: Front) -> None:
    tab = await front.signed_in()
    for state in ("st", "\"'><script>alert(1)</script>", "\r\nset-cookie: x=y"):
        page = await tab.get(front.asking(OWN, response_mode="form_post", state=state))
        assert page.status == 200
        form = page.forms["form-post"]
        assert form.action == OWN.redirect_uris[0]
        assert form.fields.keys() == {"code", "state", "iss"}
        # browsers submit a line break in a field as CR LF, whichever way it was written
        assert form.fields["state"].replace("\n", "\r\n").replace("\r\r", "\r") == state
        assert "<script>alert" not in page.text
        policy = page.header("content-security-policy") or ""
        assert "form-action 'self' https:;" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.requirement(14)
async def test_an_app_registered_for_form_post_only_never_gets_a_code_in_an_address(front: Front) -> None:
    await front.register(made.client(id="app_own", first_party=True, response_modes=("form_post",)))
    tab = await front.signed_in()
    for mode in (None, "query"):
        page = await tab.get(front.asking(made.client(id="app_own"), response_mode=mode))
        assert page.status == 200
        assert page.forms["form-post"].fields["error"] == "invalid_request"


@pytest.mark.requirement(10)
async def test_a_post_is_answered_by_a_303_or_a_page_so_that_it_is_not_repeated(front: Front) -> None:
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(made.client())))
    assert page.status == 303
    page = await tab.submit(await tab.on(page), "consent", decision="allow")
    assert page.status == 200
    assert sent_to(page).startswith(made.REDIRECT)


@pytest.mark.requirement(11)
async def test_pages_cannot_be_framed_and_send_no_referrer(front: Front) -> None:
    tab = front.browser()
    first = await tab.get(front.asking(made.client()))
    sign_in = await tab.on(first)
    consent = await tab.on(await tab.sign_in_at(first))
    leaving = await tab.submit(consent, "consent", decision="deny")
    error = await tab.get("/authorize?client_id=x")
    for page in (sign_in, consent, leaving, error, await tab.get("/"), await tab.get("/signed-out")):
        assert "frame-ancestors 'none'" in (page.header("content-security-policy") or "")
        assert page.header("x-frame-options") == "DENY"
        assert page.header("referrer-policy") == "same-origin"
        assert page.header("cache-control") == "no-store"
        assert page.header("x-content-type-options") == "nosniff"


@pytest.mark.requirement(13)
async def test_prompt_none_never_shows_a_page(front: Front) -> None:
    stranger = front.browser()
    assert said(await stranger.get(front.asking(OWN, prompt="none")))["error"] == "login_required"
    tab = await front.signed_in()
    assert "code" in said(await tab.get(front.asking(OWN, prompt="none")))
    assert said(await tab.get(front.asking(made.client(), prompt="none")))["error"] == "consent_required"
    front.clock.time += 100
    assert said(await tab.get(front.asking(OWN, prompt="none", max_age="99")))["error"] == "login_required"
    assert "code" in said(await tab.get(front.asking(OWN, prompt="none", max_age="100")))
    assert said(await tab.get(front.asking(OWN, prompt="none", max_age="0")))["error"] == "login_required"


@pytest.mark.requirement(13)
@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}, {"max_age": "10"}]
)
async def test_a_signed_in_person_is_asked_again_if_the_app_requests_it(
    front: Front, asked: dict[str, str]
) -> None:
    tab = await front.signed_in()
    front.clock.time += 60
    before = tab.cookies[SESSION]
    page = await tab.get(front.asking(OWN, **asked))
    assert (page.header("location") or "").startswith("/sign-in?flow=")
    page = await tab.sign_in_at(page)
    tokens = await front.redeem(OWN, said(page)["code"])
    assert tokens["status"] == 200
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert grant.auth_time == front.now
    # the same session under a new cookie value (R68)
    assert tab.cookies[SESSION] != before
    assert len(await front.store.sessions.live_of("usr_ada", front.now)) == 1


@pytest.mark.requirement(13)
async def test_prompt_create_starts_at_the_sign_up_page(front: Front) -> None:
    page = await front.browser().get(front.asking(OWN, prompt="create"))
    assert (page.header("location") or "").startswith("/sign-up?flow=")


@pytest.mark.requirement(13)
async def test_hints_prefill_the_form_choose_the_language_and_name_the_app(front: Front) -> None:
    tab = front.browser()
    page = await tab.on(await tab.get(front.asking(OWN, login_hint='ada"><b>@example.com', ui_locales="de")))
    assert page.forms["sign-in"].fields["identifier"] == 'ada"><b>@example.com'
    assert '<html lang="de"' in page.text
    assert "own" in page.words


@pytest.mark.requirement(13)
async def test_an_id_token_hint_must_be_for_this_person_and_this_app(front: Front) -> None:
    tab = await front.signed_in()
    tokens = await front.redeem(OWN, said(await tab.get(front.asking(OWN)))["code"])
    hint = tokens["id_token"]
    assert "code" in said(await tab.get(front.asking(OWN, id_token_hint=hint, prompt="none")))
    await front.person(id="usr_eve", email="eve@example.com")
    eve = front.browser()
    await eve.sign_in("eve@example.com")
    assert (
        said(await eve.get(front.asking(OWN, id_token_hint=hint, prompt="none")))["error"] == "login_required"
    )
    page = await eve.sign_in_at(await eve.get(front.asking(OWN, id_token_hint=hint)), "eve@example.com")
    assert said(page)["error"] == "login_required"
    for bad in ("x", "a.b.c", hint[:-4] + "AAAA", tokens["access_token"]):
        assert said(await tab.get(front.asking(OWN, id_token_hint=bad)))["error"] == "invalid_request"
    foreign = said(await tab.get(front.asking(made.client(), id_token_hint=hint)))
    assert foreign["error"] == "invalid_request"
    other = '{"id_token":{"sub":{"value":"usr_eve"}}}'
    assert (
        said(await tab.get(front.asking(OWN, id_token_hint=hint, claims=other)))["error"] == "invalid_request"
    )
    assert said(await tab.get(front.asking(OWN, claims=other, prompt="none")))["error"] == "login_required"


@pytest.mark.requirement(13, 38, 85)
async def test_a_required_level_is_reached_or_an_error_returned(front: Front) -> None:
    essential = '{"id_token":{"acr":{"essential":true,"values":["urn:doorward:aal2"]}}}'
    tab = await front.signed_in()
    refused = said(await tab.get(front.asking(OWN, claims=essential)))
    assert refused["error"] == "unmet_authentication_requirements"
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.authenticator(account)
    before = tab.cookies[SESSION]
    page = await tab.get(front.asking(OWN, claims=essential))
    assert (page.header("location") or "").startswith("/sign-in/code?flow=")
    page = await tab.on(page)
    page = await tab.submit(page, "second-factor", code=front.code())
    tokens = await front.redeem(OWN, said(page)["code"])
    assert tokens["status"] == 200
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert (grant.acr, set(grant.amr)) == ("urn:doorward:aal2", {"pwd", "otp", "mfa"})
    assert tab.cookies[SESSION] != before


async def test_a_scope_that_the_person_lacks_is_omitted(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.get(front.asking(OWN, scope="openid orders:read orders:write"))
    assert (await front.redeem(OWN, said(page)["code"]))["scope"] == "openid orders:read"
    writer = Role("rol_w", "writer", {made.API: ("orders:write",)}, made.NOW)
    await front.store.commit(front.store.registry.put_role(writer))
    await front.services.config.refresh()
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.change(account, role_names=("reader", "writer"))
    page = await tab.get(front.asking(OWN, scope="openid orders:read orders:write"))
    assert (await front.redeem(OWN, said(page)["code"]))["scope"] == "openid orders:read orders:write"


NAMES = st.sampled_from(
    ["client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
     "prompt", "max_age", "claims", "display", "ui_locales", "login_hint", "id_token_hint", "acr_values", "resource",
     "response_mode", "request", "flow", "decision", "x"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "none",
            "login",
            "consent",
            "create",
            "form_post",
            "0",
            "9" * 5000,
            "{}",
            '{"id_token":{"acr":{}}}',
            "a.b.c",
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(NAMES, VALUES, max_size=4), method=st.sampled_from(["GET", "POST"]))
async def test_arbitrary_requests_get_a_page_redirect_or_client_error(
    front: Front, changes: dict[str, str], method: str
) -> None:
    fields = urlencode({**front.params(OWN), **changes}, errors="surrogatepass")
    for path in ("/authorize", "/consent", "/logout"):
        tab = front.browser()
        if method == "GET":
            page = await tab.ask("GET", f"{path}?{fields}")
        else:
            page = await tab.ask("POST", path, form=fields)
        # 413 is the answer only to a logout that was POSTed without cookies and is too long to continue as a GET
        too_long = (path, method) == ("/logout", "POST") and len(fields) > LONGEST_QUERY
        assert page.status in {200, 303, 400} or (too_long and page.status == 413)
