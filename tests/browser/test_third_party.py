"""Tests of a third-party app on another site: its response arrives in the browser, by redirect and by posted form, for Allow and
Cancel."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson
from tests.browser.foreign import ForeignApp
from tests.browser.person import PASSWORD, Person

pytestmark = pytest.mark.browser
CONSENT = "Connect Kite Club to your account?"
BACK = "Back at Kite Club"


@pytest.mark.requirement(14)
@pytest.mark.parametrize(("mode", "method"), [("query", "GET"), ("form_post", "POST")])
def test_allow_and_cancel_both_arrive_at_the_app(
    people: NewPerson, kites: ForeignApp, email: str, mode: str, method: str
) -> None:
    grace = people()
    kites.arrived.clear()
    grace.page.goto(kites.begin(response_mode=mode))
    grace.press("#connect", "Sign in")
    expect(grace.page.locator("#app")).to_have_text("to continue to Kite Club")
    grace.sign_up(email, "Grace Host")
    code, _ = grace.mail(email, "Confirm")
    grace.page.fill("#code", code)
    grace.press("#submit", CONSENT)
    expect(grace.page.locator("#host")).to_have_text(kites.origin.removeprefix("http://"))
    expect(grace.page.locator("#account")).to_contain_text(email)
    _same_weight(grace)
    grace.page.click("#deny")
    _continue_if_posted(grace, mode)
    expect(grace.page.locator("h1")).to_have_text(BACK)
    assert [(came.method, came.fields["error"]) for came in kites.arrived] == [(method, "access_denied")]
    grace.page.goto(kites.begin(response_mode=mode))
    # a person who cancelled is not signed in: the next try asks again
    grace.press("#connect", "Sign in")
    grace.enter(email, PASSWORD, CONSENT)
    grace.page.click("#allow")
    _continue_if_posted(grace, mode)
    expect(grace.page.locator("#answer")).to_have_text("yes")
    came = kites.arrived[-1]
    assert (came.method, came.fields["state"], came.fields["iss"]) == (method, "of-this-app", kites.issuer)
    assert kites.redeem()["token_type"] == "Bearer"
    # consent is not asked twice; the response follows without a POST
    grace.page.goto(kites.begin(response_mode=mode))
    grace.page.click("#connect")
    _continue_if_posted(grace, mode)
    expect(grace.page.locator("#answer")).to_have_text("yes")
    assert [(came.method, "code" in came.fields) for came in kites.arrived[1:]] == [(method, True)] * 2


@pytest.mark.in_soak("no-scripts")
@pytest.mark.requirement(14)
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_callback_may_send_the_browser_on_to_another_host(
    people: NewPerson, kites: ForeignApp, email: str, mode: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    kites.arrived.clear()
    kites.onward = kites.elsewhere
    try:
        for agreed in (False, True):
            # after the consent form (a POST), and without any form
            grace.page.goto(kites.begin(response_mode=mode))
            if agreed:
                grace.page.click("#connect")
            else:
                grace.press("#connect", CONSENT)
                grace.page.click("#allow")
            _continue_if_posted(grace, mode)
            expect(grace.page.locator("h1")).to_have_text("Landed elsewhere")
            assert grace.page.url == kites.elsewhere
    finally:
        kites.onward = None
    assert ["code" in came.fields for came in kites.arrived] == [True, True]


def test_the_response_arrives_directly_after_the_password_too(
    people: NewPerson, kites: ForeignApp, email: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    for mode, method in (("query", "GET"), ("form_post", "POST")):
        grace.page.goto(kites.begin(response_mode=mode, prompt="login"))
        grace.press("#connect", "Sign in")
        grace.page.fill("#identifier", email)
        grace.page.fill("#password", PASSWORD)
        grace.page.click("#submit")
        if mode == "query":
            grace.arrive(CONSENT)
            grace.page.click("#allow")
        _continue_if_posted(grace, mode)
        expect(grace.page.locator("#answer")).to_have_text("yes")
        assert kites.arrived[-1].method == method
        assert kites.redeem()["expires_in"] > 0


@pytest.mark.in_soak("no-scripts")
def test_not_you_lets_another_person_sign_in_to_the_same_app(
    people: NewPerson, kites: ForeignApp, email: str
) -> None:
    grace = people()
    grace.new_account(email, "Grace Host")
    grace.page.goto(kites.begin())
    grace.press("#connect", CONSENT)
    grace.press("#not-you", "Sign in")
    expect(grace.page.locator("#app")).to_have_text("to continue to Kite Club")
    grace.enter("carol@example.com", "paper boats in april", CONSENT)
    expect(grace.page.locator("#account")).to_contain_text("carol@example.com")
    grace.page.click("#deny")
    expect(grace.page.locator("#answer")).to_have_text("no")


def _same_weight(grace: Person) -> None:
    """Cancel and Allow are drawn alike: no button is favoured."""
    looks = "(e) => [e.offsetWidth, e.offsetHeight, getComputedStyle(e).backgroundColor, getComputedStyle(e).color].join()"
    assert grace.page.locator("#deny").evaluate(looks) == grace.page.locator("#allow").evaluate(looks)


def _continue_if_posted(grace: Person, mode: str) -> None:
    # without scripts the form is not submitted automatically: the page has a button
    if mode == "form_post" and grace.stand_in is not None:
        grace.arrive("Almost there")
        grace.page.click("#continue")
