"""Passkeys over the pages as people use them, with the software authenticator in place of the browser's script.

phone = Authenticator(origin=server.issuer)
add_passkey(person, phone)                   # signed in just now
page = use_passkey(other, other.open("/sign-in/passkey"), phone)
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from tests.authenticator import Authenticator
from tests.flows.browsing import Page, Person

NEW = "/account/methods/passkeys"
SIGN_IN = "/sign-in/passkey"


def options_of(page: Page) -> dict[str, Any]:
    """What the page hands to the script."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found, f"{page.status} {page.url} {page.words}"
    return json.loads(html.unescape(found[1]))


def try_to_add(person: Person, authenticator: Authenticator) -> Page:
    """The answer to a new passkey of who is signed in."""
    page = person.open(NEW)
    return person.press(page, "passkey-new", credential=authenticator.create(options_of(page)))


def add_passkey(person: Person, authenticator: Authenticator) -> Page:
    """A passkey of who is signed in. The page shows recovery codes after the first factor."""
    page = try_to_add(person, authenticator)
    assert page.status == 200, page.words
    assert "passkey-new" not in page.forms, page.problem
    return page


def use_passkey(person: Person, page: Page, authenticator: Authenticator, **changes: Any) -> Page:
    """Answer the page that asks for a passkey."""
    return person.press(page, "passkey", credential=authenticator.get(options_of(page), **changes))
