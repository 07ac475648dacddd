"""Steps with a second factor: codes by mail, a passkey, and an API that wants more than a password (RFC 9470)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.authenticator import PasskeyHolder
from doorward_demo.demo.drive.browser import Browser
from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.signing_in import authorization_address, code_from, newest_mail, redeem

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def add_mail_codes(journey: Journey) -> str:
    """Set up codes by mail on the account page; the address is proven with the first one."""
    journey.browser.go(f"{journey.issuer}/account/methods/email")
    journey.browser.submit("mail-codes-send", {"address": journey.person.email})
    journey.browser.submit("mail-codes", {"code": newest_mail(journey).code})
    expect("recovery codes" in journey.browser.page.title, "recovery codes", journey.browser.described())
    return "From now on a password alone is not enough; the page shows recovery codes, once"


def sign_in_with_mail_code(journey: Journey) -> str:
    """Sign in to the account in another browser: after the password a code is sent and asked for."""
    browser = journey.elsewhere
    browser.go(f"{journey.issuer}/sign-in")
    browser.submit("sign-in", {"identifier": journey.person.email, "password": journey.person.password})
    browser.arrived_at("second-factor")
    browser.submit("second-factor", {"code": newest_mail(journey).code})
    expect(_path(browser).startswith("/account"), "the account page", browser.described())
    return "The password, then the code from the mail"


def add_passkey(journey: Journey) -> str:
    """Add a passkey in that browser; a program plays the part of the phone."""
    journey.passkey = PasskeyHolder(journey.issuer)
    browser = journey.elsewhere
    browser.go(f"{journey.issuer}/account/methods/passkeys")
    browser.submit("passkey-new", {"credential": journey.passkey.create(_options(browser, "passkey-new"))})
    expect(_path(browser) == "/account/methods", "the page of sign-in methods", browser.described())
    return "It is bound to this server's name, so no other site can ask for it"


def step_up(journey: Journey) -> str:
    """The API refuses the token and names what it wants; the app requests that, and repeats the call once."""
    address = f"{journey.api}/invoices"
    refused = journey.wire.send("GET", address, token=journey.has.access)
    expect(refused.status_code == 401, "status 401", refused.status_code)
    challenge = dict(_PARAMETER.findall(refused.headers.get("www-authenticate", "")))
    expect(
        challenge.get("error") == "insufficient_user_authentication",
        "a challenge with insufficient_user_authentication",
        challenge.get("error", "no WWW-Authenticate"),
    )
    wanted = {name: challenge[name] for name in ("acr_values", "max_age") if name in challenge}
    browser = journey.browser
    browser.go(authorization_address(journey, **wanted))
    browser.arrived_at("passkey")
    assert journey.passkey is not None
    browser.submit("passkey", {"credential": journey.passkey.get(_options(browser, "passkey"))})
    browser.submit("consent", {"decision": "allow"})
    journey.code = code_from(journey)
    redeem(journey)
    acr = decoded(journey.has.access).payload.get("acr")
    expect(acr == challenge.get("acr_values"), f"acr {challenge.get('acr_values')}", acr)
    answer = journey.wire.send("GET", address, token=journey.has.access)
    expect(answer.status_code == 200, "status 200 with the new token", answer.status_code)
    return f"The API wanted {acr}; a passkey answered, and the same call succeeds"


def remember_device(journey: Journey) -> str:
    """Have the second browser remembered with the second step; after signing out, the password alone is enough there."""
    browser = journey.elsewhere
    assert journey.passkey is not None
    for remembered in (False, True):
        browser.go(f"{journey.issuer}/logout")
        browser.submit("sign-out", {"confirm": "yes"})
        browser.go(f"{journey.issuer}/sign-in")
        browser.submit("sign-in", {"identifier": journey.person.email, "password": journey.person.password})
        if not remembered:
            browser.arrived_at("passkey")
            answer = journey.passkey.get(_options(browser, "passkey"))
            browser.submit("passkey", {"credential": answer, "trust": "1"})
        expect(_path(browser).startswith("/account"), "the account page", browser.described())
    return "The second step is spared there for 30 days, and not before sign-in methods are changed"


def _options(browser: Browser, form_id: str) -> dict[str, Any]:
    """What the page hands to the browser's authenticator."""
    form = browser.page.form(form_id)
    if form is None or not form.options:
        fail(f"a page with the form «{form_id}»", browser.described())
    return msgspec.json.decode(form.options)


def _path(browser: Browser) -> str:
    return urlsplit(browser.at).path
