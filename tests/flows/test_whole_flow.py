"""Tests of the seven steps of the flow over HTTP: from the sign-up page to the revoked token."""

from __future__ import annotations

import itertools
import time
from threading import Thread

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from tests.engines import BOTH
from tests.flows.apps import good, header, refused
from tests.flows.running import Running
from tests.flows.seeds import API, OTHER_API, PASSWORD, House
from tests.waiting import keeps

ENGINES = BOTH


@pytest.mark.requirement(15, 18, 39, 58, 67)
def test_sign_up_verify_sign_in_code_api_refresh_replay_sign_out(server: Running, house: House) -> None:
    people = itertools.count(1)
    keeps(1, lambda: the_whole_flow(server, house, f"grace{next(people)}@example.com"))


def the_whole_flow(server: Running, house: House, email: str) -> float:
    """For a new person. Returns for how many seconds at most an API accepted an ended token."""
    person, app = server.person(), house.web
    with server.api(API) as api, server.api(OTHER_API) as other:
        # 1 to 3: a new person comes from the app, signs up, verifies the address, and continues where they were
        attempt = app.begin("openid email orders:read orders:write offline_access")
        page = person.open(attempt.url)
        assert page.path == "/sign-in"
        assert "Shop" in page.words
        page = person.sign_up(page, email, "copper lantern sixty meadow", "Grace")
        assert page.path == "/consent"
        tokens = app.redeem(attempt, person.press(page, "consent", "allow"))
        # a customer may read: scopes that the role does not give are left out, and the response says so
        assert tokens.body["scope"] == "openid email orders:read offline_access"
        assert tokens.identity["email"] == email
        assert tokens.identity["email_verified"] is True
        # 4: the API
        principal = api.verify(tokens.access)
        assert principal.sub == tokens.claims["sub"]
        assert header(tokens.access)["typ"] == "at+jwt"
        assert other.refusal(tokens.access) == "audience"
        assert api.refusal(tokens.body["id_token"]) == "type"
        assert "orders:write" not in principal.scopes
        # 5: two refreshes at once
        answers: list[str] = []
        both = [
            Thread(target=lambda: answers.append(good(app.refresh(tokens.refresh)).refresh)) for _ in "ab"
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert len(set(answers)) == 1
        newer = good(app.refresh(answers[0]))
        # 6: an old token is used after the leeway: an attacker may hold it
        assert api.refusal(newer.access) is None
        server.clock.ahead += server.settings.tokens.refresh_leeway + 1
        refused(app.refresh(tokens.refresh))
        refused(app.refresh(newer.refresh))
        replayed, why = api.refused_after(newer.access)
        assert why == "revoked"
        assert any(to == email and code is None for to, _, code, _ in person.mails())
        # 7: sign in once more, then out
        attempt = app.begin("openid orders:read")
        fresh = app.redeem(attempt, person.open(attempt.url))
        assert api.refusal(fresh.access) is None
        left = person.open(
            f"/logout?id_token_hint={fresh.body['id_token']}"
            "&post_logout_redirect_uri=https://shop.example.net/bye&state=s1"
        )
        assert left.outside
        assert left.url == "https://shop.example.net/bye?state=s1"
        left_out, why = api.refused_after(fresh.access)
        assert why == "revoked"
        refused(app.refresh(fresh.refresh))
    return max(replayed, left_out)


@pytest.mark.requirement(58, 72)
def test_a_disabled_person_is_refused_everywhere_within_a_second(server: Running, house: House) -> None:
    keeps(1, lambda: disabled(server, house))


def disabled(server: Running, house: House) -> float:
    """Disable Bob, and enable him again. Returns for how many seconds an API still accepted his tokens."""
    tokens = []
    person = server.person()
    page = person.open("/sign-in")
    for app, scope in ((house.own, "openid orders:read offline_access"), (house.web, "openid orders:read")):
        attempt = app.begin(scope)
        page = person.open(attempt.url)
        if "sign-in" in page.forms:
            page = person.sign_in(page, "bob@example.com", PASSWORD)
        if "consent" in page.forms:
            page = person.press(page, "consent", "allow")
        tokens.append((app, app.redeem(attempt, page)))
    with server.api(API) as api, server.api(API) as second:
        assert [one.refusal(got.access) for one in (api, second) for _, got in tokens] == [None] * 4
        server.operate(lambda services: services.get(admin.people).disable(os_actor(), "bob@example.com"))
        began = time.monotonic()
        for one in (api, second):
            for _, got in tokens:
                assert one.refused_after(got.access)[1] == "revoked"
        took = time.monotonic() - began
    for app, got in tokens:
        refused(app.refresh(got.refresh))
        assert app.userinfo(got.access).status_code == 401
        assert house.reader.introspect(got.access) == {"active": False}
    assert person.open("/account").path == "/sign-in"
    again = person.sign_in(person.open("/sign-in"), "bob@example.com", PASSWORD)
    wrong = person.sign_in(person.open("/sign-in"), "nobody@example.com", PASSWORD)
    # a caller who has shown the right password is told whom to contact, and nobody else is
    assert again.status == wrong.status
    assert (again.problem or "").startswith("Your account is disabled.")
    assert (wrong.problem or "").startswith("That email and password")
    server.operate(lambda services: services.get(admin.people).enable(os_actor(), "bob@example.com"))
    assert person.sign_in(person.open("/sign-in"), "bob@example.com", PASSWORD).path == "/account"
    return took
