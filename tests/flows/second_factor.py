"""Setup and codes of an authenticator app, over the account pages as people use them."""

from __future__ import annotations

from pyotp.totp import TOTP

from tests.flows.browsing import Person
from tests.flows.running import Running

PERIOD = 30


class Authenticator:
    """The app on a person's phone, with the server's clock."""

    def __init__(self, server: Running, key: str) -> None:
        self._server = server
        self._totp = TOTP(key)

    def code(self) -> str:
        """An unused code: waits for the next period, on a clock that the test can turn."""
        self._server.clock.ahead += PERIOD
        return self._totp.at(self._server.clock.now())

    def same(self) -> str:
        """The code that it shows right now."""
        return self._totp.at(self._server.clock.now())


def set_up(person: Person, server: Running) -> tuple[Authenticator, list[str]]:
    """For a person who signed in just now: the app, and the recovery codes."""
    page = person.click(person.open("/account/methods"), "authenticator-add")
    phone = Authenticator(server, page.inside("key").replace(" ", ""))
    page = person.press(page, "authenticator", code=phone.code())
    assert page.problem is None, page.problem
    return phone, [line for line in page.words.split() if line.count("-") >= 2]
