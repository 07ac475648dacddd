"""Box on the pages of second steps, with which a person has the device remembered."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.core.model.account import Account
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.remembered import CHOSEN, FIELD, DeviceToRemember
from doorward.features.sessions.browser_context import BrowserContext
from doorward.web.pages.views.sign_in import TrustOffer


async def trust_offer(
    flow: FlowPages, sign_in: SignIn, account: Account, form: Mapping[str, str], now: int
) -> TrustOffer | None:
    """The box, ticked as in `form`; None where the device may not be remembered."""
    seconds = await flow.sign_in_flow.rememberable(sign_in, account, now)
    return None if seconds is None else TrustOffer(seconds, chosen=form.get(FIELD) == CHOSEN)


async def new_device(
    flow: FlowPages, browser: BrowserContext, sign_in: SignIn, form: Mapping[str, str]
) -> DeviceToRemember | None:
    """This device, if the form asks to have it remembered, and it may be."""
    if form.get(FIELD) != CHOSEN:
        return None
    return await flow.sign_in_flow.new_device(sign_in, browser.caller, browser.now)
