"""People with passkeys, for the tests of the services."""

from __future__ import annotations

from typing import Any

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.passkey import Passkey
from doorward.core.model.signin import SignIn
from doorward.features.authn.factors.passkeys.build import own_passkeys, prove_passkey
from doorward.features.authn.factors.passkeys.owning import Prepared
from tests.authenticator import Authenticator
from tests.people import CALLER, ISSUER, House, caller_of

BROWSER = digest("browser")
BINDING = "ses_1"


def device(**changes: Any) -> Authenticator:
    """An authenticator at this server's pages."""
    return Authenticator(**{"origin": ISSUER, **changes})


async def prepare(house: House, account: Account, authenticator: Authenticator, **changes: Any) -> Any:
    """What the service says about a new passkey."""
    own = house.services.get(own_passkeys)
    silently = changes.get("silently", False)
    asked: dict[str, Any] = {"binding": BINDING, "browser_hash": BROWSER, "now": house.now}
    options = await own.options(account, silently=silently, **asked)
    text = changes.pop("text", None) or authenticator.create(options, silently=silently)
    return await own.prepare(account, text, **{**asked, "second": False, "caller": CALLER, **changes})


async def enrolled(house: House, account: Account, authenticator: Authenticator, **changes: Any) -> Passkey:
    """A stored passkey of the account."""
    prepared = await prepare(house, account, authenticator, **changes)
    assert isinstance(prepared, Prepared), prepared
    assert await house.store.commit(*prepared.writes)
    return prepared.passkey


async def answer(
    house: House, authenticator: Authenticator, sign_in: SignIn, *, bound: bool = True, **changes: Any
) -> str:
    """The browser's answer to the options of a sign-in; without `bound` to those of the page before it began."""
    proving = house.services.get(prove_passkey)
    options = await proving.options(sign_in if bound else None, browser_hash=BROWSER, now=house.now)
    return authenticator.get(options, **changes)


async def prove(house: House, sign_in: SignIn, text: str, **changes: Any) -> Any:
    """The outcome of an answer."""
    values: dict[str, Any] = {
        "binding": sign_in.id,
        "browser_hash": BROWSER,
        "caller": caller_of(BROWSER),
        "now": house.now,
        **changes,
    }
    return await house.services.get(prove_passkey).prove(sign_in, text, **values)
