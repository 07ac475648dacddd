"""A person at a separate browser: opens, reads, types, clicks. Every page that they reach is checked (`watched`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from doorward_demo.dev.places import Places
from tests.browser.watched import Checked, Watch, audit

PASSWORD = "nine patient herons wait"


@dataclass
class Person:
    """One browser context, with one tab at first."""

    places: Places
    context: BrowserContext
    page: Page
    watch: Watch
    checked: Checked
    stand_in: Page | None
    found: list[str] = field(default_factory=list[str])

    def open(self, url: str, heading: str | re.Pattern[str]) -> None:
        """Open an address, and expect the page with that heading."""
        self.page.goto(url)
        self.arrive(heading)

    def press(self, selector: str, heading: str | re.Pattern[str]) -> None:
        """Click, and expect the next page."""
        self.page.click(selector)
        self.arrive(heading)

    def arrive(self, heading: str | re.Pattern[str], page: Page | None = None) -> None:
        """Wait for the page with that heading, and check it."""
        page = page or self.page
        while True:
            expect(page.locator("h1")).to_have_text(heading)
            page.wait_for_load_state("load")
            try:
                self.found += audit(page, self.stand_in, self.checked)
                return
            except Error as problem:
                # the page before it had the same heading, and was left during the check
                if "Execution context was destroyed" not in problem.message:
                    raise

    def tab(self) -> Page:
        """Open another tab of the same browser, which is used from now on; returns the previous tab."""
        before, self.page = self.page, self.context.new_page()
        return before

    def problem(self) -> str:
        """The sentence above the form."""
        return self.page.locator("#problem").inner_text()

    def from_shop(self) -> None:
        """Go from the demo app to the sign-in page."""
        self.open(self.places.shop, "See your orders")
        self.press("#sign-in", "Sign in")
        expect(self.page.locator("#app")).to_have_text("to continue to Corner Shop")

    def from_shop_at_once(self) -> None:
        """Enter the demo app with the existing session; consent is given."""
        self.open(self.places.shop, "See your orders")
        self.press("#sign-in", "Connect Corner Shop to your account?")
        self.press("#allow", re.compile("^Hello, "))

    def enter(self, email: str, password: str, heading: str | re.Pattern[str]) -> None:
        """Fill in the sign-in page, and expect the next page."""
        self.page.fill("#identifier", email)
        self.page.fill("#password", password)
        self.press("#submit", heading)

    def sign_up(self, email: str, name: str, password: str = PASSWORD) -> None:
        """From the sign-in page to «Check your email»."""
        self.press("#to-sign-up", "Create an account")
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.fill("#name", name)
        self.press("#submit", "Check your email")

    def mail(self, email: str, subject: str) -> tuple[str, str]:
        """Read the newest mail in another tab; returns its code and its link."""
        tab = self.context.new_page()
        tab.goto(f"{self.places.issuer}/_dev/outbox")
        self.arrive("Outbox", tab)
        newest = tab.locator("article", has_text=f"To {email}").first
        expect(newest.locator("h2")).to_contain_text(subject)
        code = newest.locator(".big-code").inner_text()
        link = newest.locator(".text a").first.get_attribute("href")
        tab.close()
        assert link is not None
        return code, link

    def new_account(self, email: str, name: str) -> None:
        """A new account by the code, up to the account page; without an app."""
        self.open(f"{self.places.issuer}/sign-in", "Sign in")
        self.sign_up(email, name)
        code, _ = self.mail(email, "")
        self.page.fill("#code", code)
        self.press("#submit", "Profile")

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in, up to the account page."""
        self.open(f"{self.places.issuer}/sign-in", "Sign in")
        self.enter(email, password, "Profile")

    def leave(self) -> list[str]:
        """Close the browser; returns everything that was wrong on the way."""
        self.context.close()
        if self.stand_in is not None:
            self.stand_in.close()
        return [*self.found, *self.watch.complaints()]


def person(
    chrome: Browser, places: Places, checked: Checked, *, scripts: bool, more: tuple[str, ...] = ()
) -> Person:
    """A new person; `more` are the origins of further apps that their browser may connect to."""
    context = chrome.new_context(
        java_script_enabled=scripts, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    watch = Watch((places.issuer, places.shop, places.api, *more))
    watch.listen(context)
    stand_in = None if scripts else chrome.new_page()
    return Person(places, context, context.new_page(), watch, checked, stand_in)
