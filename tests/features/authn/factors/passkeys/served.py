"""The server with passkeys, and people's use of them over HTTP."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from doorward.core.model.account import Account
from doorward.features.authn.factors.passkeys.build import own_passkeys
from doorward.features.authn.factors.passkeys.owning import Prepared
from tests.authenticator import Authenticator
from tests.browsing import ISSUER, Page
from tests.front_channel import CALLER, Front
from tests.tabs import Tab

BROWSER = b"b" * 32


async def enrol(front: Front, account: Account, *, second: bool = False, **about: Any) -> Authenticator:
    """An authenticator that has a passkey of the account."""
    own, authenticator = front.services.get(own_passkeys), Authenticator(origin=ISSUER, **about)
    asked: dict[str, Any] = {"binding": "ses_1", "browser_hash": BROWSER, "now": front.now}
    options = await own.options(account, **asked)
    made_ready = await own.prepare(
        account, authenticator.create(options), second=second, caller=CALLER, **asked
    )
    assert isinstance(made_ready, Prepared), made_ready
    assert await front.store.commit(*made_ready.writes)
    return authenticator


def options_on(page: Page) -> dict[str, Any]:
    """What the page hands to the script."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found, page.words
    return json.loads(html.unescape(found[1]))


async def use(tab: Tab, page: Page, authenticator: Authenticator, **changes: Any) -> Page:
    """The script's post from this page."""
    return await tab.submit(page, "passkey", credential=authenticator.get(options_on(page), **changes))
