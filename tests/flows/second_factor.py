"""How does somebody set up an authenticator app, and what does it show? Over the account pages, as people do."""

from __future__ import annotations

from pyotp.totp import TOTP

from tests.flows.browsing import Person
from tests.flows.running import Running

PERIOD = 30


class Authenticator:
    """The app on somebody's phone, whose clock is the server's."""

    def __init__(self, server: Running, key: str) -> None:
        self._server = server
        self._totp = TOTP(key)

    def code(self) -> str:
        """A code that was never used: the next period is waited for, on a clock that can be turned."""
        self._server.clock.ahead += PERIOD
        return self._totp.at(self._server.clock.now())

    def same(self) -> str:
        """The code that it shows right now."""
        return self._totp.at(self._server.clock.now())


def set_up(person: Person, server: Running) -> tuple[Authenticator, list[str]]:
    """For somebody who signed in just now: the app, and the recovery codes."""
    page = person.click(person.open("/account/methods"), "authenticator-add")
    phone = Authenticator(server, page.inside("key").replace(" ", ""))
    page = person.press(page, "authenticator", code=phone.code())
    assert page.problem is None, page.problem
    return phone, [line for line in page.words.split() if line.count("-") >= 2]
