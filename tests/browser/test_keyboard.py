"""Tests of sign-up and sign-in by keyboard alone, with a visible focus at every step."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPerson
from tests.browser.person import PASSWORD, Person

pytestmark = pytest.mark.browser
IN_SOAK = "no-scripts"
_FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {id: at.id, where: at.outerHTML.slice(0, 120), drawn: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          colour: style.outlineColor, seen: box.width > 0 && box.top < innerHeight && box.bottom > 0};
}"""


def test_signing_up_and_in_by_keyboard_alone(people: NewPerson, email: str) -> None:
    grace = people()
    press = grace.page.keyboard.press
    grace.open(grace.places.shop, "See your orders")
    _tab_to(grace, "sign-in")
    press("Enter")
    grace.arrive("Sign in")
    _is_at(grace, "identifier")
    _tab_to(grace, "to-sign-up")
    press("Enter")
    grace.arrive("Create an account")
    _is_at(grace, "email")
    _write(grace, "email", email)
    _write(grace, "password", PASSWORD)
    _write(grace, "name", "Grace Host")
    press("Enter")
    grace.arrive("Check your email")
    _is_at(grace, "code")
    code, _ = grace.mail(email, "Confirm")
    _write(grace, "code", "999999" if code != "999999" else "000000")
    press("Enter")
    # the page before it has the same heading
    expect(grace.page.locator("#problem")).to_have_attribute("role", "alert")
    grace.arrive("Check your email")
    _is_at(grace, "code")
    _write(grace, "code", f" {code[:3]} {code[3:]} ")
    press("Enter")
    grace.arrive("Connect Corner Shop to your account?")
    _tab_to(grace, "allow")
    press("Space")
    grace.arrive("Hello, Grace Host")
    _tab_to(grace, "sign-out")
    press("Enter")
    grace.arrive("See your orders")
    _tab_to(grace, "sign-in")
    press("Enter")
    grace.arrive("Sign in")
    _write(grace, "identifier", email)
    _write(grace, "password", "not the password")
    press("Enter")
    expect(grace.page.locator("#problem")).to_have_attribute("role", "alert")
    grace.arrive("Sign in")
    _is_at(grace, "password")
    _write(grace, "password", PASSWORD)
    _tab_to(grace, "submit")
    press("Enter")
    grace.arrive("Hello, Grace Host")


def test_every_tab_stop_on_the_account_pages_is_visible(people: NewPerson) -> None:
    alice = people()
    alice.sign_in("alice@example.com", "seven green lanterns")
    for path, heading in (
        ("", "Profile"),
        ("/methods", "Sign-in methods"),
        ("/devices", "Devices"),
        ("/apps", "Connected apps"),
        ("/activity", "Activity"),
        ("/methods/authenticator", "Set up authenticator app"),
    ):
        alice.open(f"{alice.places.issuer}/account{path}", heading)
        stops = _walk(alice)
        assert len(stops) == len(set(stops)) > 8, stops


def test_the_first_tab_stop_on_the_account_pages_skips_the_menu(people: NewPerson) -> None:
    alice = people()
    alice.sign_in("alice@example.com", "seven green lanterns")
    _tab(alice)
    expect(alice.page.locator(".skip")).to_be_focused()
    alice.page.keyboard.press("Enter")
    expect(alice.page).to_have_url(f"{alice.places.issuer}/account#main")
    _tab(alice)
    assert alice.page.evaluate("document.getElementById('main').contains(document.activeElement)")


def _tab(person: Person) -> str:
    person.page.keyboard.press("Tab")
    return _here(person)


def _here(person: Person) -> str:
    """The id of the focused element; its focus must be visible."""
    focus = person.page.evaluate(_FOCUS)
    assert focus["drawn"], f"no outline: {focus}"
    assert focus["seen"], f"out of sight: {focus}"
    return focus["id"] or focus["where"]


def _tab_to(person: Person, target: str) -> None:
    passed: list[str] = []
    while (stop := _tab(person)) != target:
        passed.append(stop)
        assert len(passed) < 30, f"{target} cannot be reached: {passed}"


def _is_at(person: Person, target: str) -> None:
    expect(person.page.locator(f"#{target}")).to_be_focused()
    assert _here(person) == target


def _write(person: Person, target: str, text: str) -> None:
    if person.page.evaluate("document.activeElement.id") != target:
        _tab_to(person, target)
    person.page.keyboard.press("Control+A")
    person.page.keyboard.type(text)


def _walk(person: Person) -> list[str]:
    """Every tab stop, until the focus returns to the first."""
    stops: list[str] = []
    for _ in range(120):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("document.activeElement === document.body"):
            # between the page's last stop and its first
            continue
        stop = _here(person)
        if stops and stop == stops[0]:
            return stops
        stops.append(stop)
    raise AssertionError(f"the focus never returns to its start: {stops}")
