"""An event that its owner reports as somebody else's."""

from __future__ import annotations

from doorward.core.model.account import Account
from doorward.features.audit.build import audit_log
from tests.people import CALLER, House


async def noticed(house: House, account: Account) -> str:
    """A failed sign-in in the activity of the account. Returns the id of the event."""
    log = house.services.get(audit_log)
    write = log.write("sign_in.failed", caller=CALLER, now=house.now, account_id=account.id, ok=False)
    assert await house.store.commit(write)
    (event, *_) = await house.store.audit.page(kind="sign_in.failed")
    return event.id
