"""Step with an API key: made on the account page, used, exchanged, and refused by the API when it has ended."""

from __future__ import annotations

import re
import time
from typing import Final
from urllib.parse import urlsplit

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.ended import until_refused
from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.wire import document

_KEY: Final = re.compile(r"\bdwk_[0-9a-f]{32}_[0-9A-Za-z]{49}\b")
_PAGE: Final = "/account/api-keys"


def use_api_key(journey: Journey) -> str:
    """A key for a script: the API takes it as it is, and the token endpoint exchanges it by one request."""
    browser = journey.browser
    browser.go(f"{journey.issuer}{_PAGE}/new")
    page = browser.submit("new-key", {"name": "Night script", "days": "30", "may:orders:read": "1"})
    found = _KEY.search(page.source)
    if found is None:
        fail("a page with an API key", browser.described())
    key = found[0]
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=key)
    expect(answer.status_code == 200, "status 200 with the key", answer.status_code)
    form = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": key}
    exchanged = journey.wire.send("POST", journey.metadata["token_endpoint"], form=form)
    expect(exchanged.status_code == 200, "a token for the key", exchanged.status_code)
    token = str(document(exchanged)["access_token"])
    claims = decoded(token)
    journey.show_token("access token of the key", claims)
    expect("acr" not in claims.payload, "a token that rests on no sign-in", claims.payload.get("acr"))
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=token)
    expect(answer.status_code == 200, "status 200 with its token", answer.status_code)
    return "The API took the key, and the token that one request made of it"


def end_api_key(journey: Journey) -> str:
    """The key ends on its page; the API refuses it within a second."""
    browser = journey.browser
    browser.go(f"{journey.issuer}{_PAGE}/new")
    page = browser.submit("new-key", {"name": "Leaked", "days": "7", "may:orders:read": "1"})
    found = _KEY.search(page.source)
    if found is None:
        fail("a page with an API key", browser.described())
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=found[0])
    expect(answer.status_code == 200, "status 200 with the key", answer.status_code)
    browser.go(f"{journey.issuer}{_PAGE}")
    began = time.perf_counter()
    browser.submit("end-1", {})
    expect(urlsplit(browser.at).path == _PAGE, "the list of keys", browser.described())
    took = until_refused(journey, found[0], began)
    return f"401 after {took:.0f} ms"
