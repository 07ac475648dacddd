"""Each cell of the table of endings: one of each credential, the action, and a try to use each credential."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import pytest
from msgspec import structs

from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.features.accounts.build import self_service
from doorward.features.admin import build as admin
from doorward.features.api_keys.build import own_keys
from doorward.features.authn.factors.password.build import change_password
from doorward.features.authn.factors.password.change import Changed
from doorward.features.sessions.build import revoker
from doorward.features.sessions.rules.endings import ENDINGS, AccessEnd, of
from doorward.storage.sql.store import Write
from tests.browsing import SESSION
from tests.engines import POSTGRES, POSTGRES_IN_SOAK, on
from tests.features.admin.managing import OPERATOR
from tests.features.sessions.endings.held import OTHER_PASSWORD, SETTINGS, WEB, Held, basic, furnish, hold
from tests.front_channel import CALLER, Front, front_channel

pytestmark = pytest.mark.anyio
ENGINES = POSTGRES_IN_SOAK
Act = Callable[[Held], Awaitable[None]]


@pytest.fixture(scope="module")
async def front(database: str | None) -> AsyncGenerator[Front]:
    """A server for all tests of the module; each has a person of its own."""
    async with front_channel(**SETTINGS, database=database or ":memory:") as server:
        await furnish(server)
        yield server


async def _session(held: Held, here: bool) -> Session:
    tab = held.here if here else held.there
    found = await held.front.store.sessions.get(await held.session_id(tab))
    assert found is not None
    return found


async def _commit(held: Held, writes: list[Write]) -> None:
    assert await held.front.store.commit(*writes)


async def reported(held: Held) -> None:
    pages, front = held.front.services.get(self_service), held.front
    (event, *_) = await front.store.audit.of_account(held.account.id, ["sign_in.succeeded"], since=0, limit=1)
    caller = structs.replace(CALLER, devices=held.devices_here)
    mine = await _session(held, True)
    assert await pages.report(held.account, mine, event.id, caller=caller, now=front.now)


async def ended_by_operator(held: Held) -> None:
    _, count = await held.front.services.get(admin.sessions).end_access(OPERATOR, held.account.id)
    assert count == 2


async def disabled(held: Held) -> None:
    await held.front.services.get(admin.people).disable(OPERATOR, held.account.id)


async def deleted(held: Held) -> None:
    await held.front.services.get(admin.people).delete(OPERATOR, held.account.id)


async def password_changed(held: Held) -> None:
    change = held.front.services.get(change_password)
    account = await held.front.store.accounts.get(held.account.id)
    assert account is not None
    done = await change.change(
        account,
        await _session(held, True),
        current=Secret(held.password),
        new=Secret(OTHER_PASSWORD),
        caller=structs.replace(CALLER, devices=held.devices_here),
        now=held.front.now,
    )
    assert isinstance(done, Changed), done
    held.here.cookies[SESSION] = done.session_secret
    held.password = OTHER_PASSWORD


async def password_set(held: Held) -> None:
    people = held.front.services.get(admin.people)
    await people.set_password(OPERATOR, held.account.id, Secret(OTHER_PASSWORD))
    held.password = OTHER_PASSWORD


async def reset(held: Held) -> None:
    await held.reset(end_sessions=True)


async def reset_keeping_sessions(held: Held) -> None:
    await held.reset(end_sessions=False)


async def factors_reset(held: Held) -> None:
    await held.front.services.get(admin.factors).reset(OPERATOR, held.account.id)


async def copied(held: Held) -> None:
    await held.front.services.get(revoker).everything(held.account.id, now=held.front.now, reason="revoked")


async def proofs(held: Held) -> None:
    await _commit(held, held.front.services.get(revoker).outstanding(held.account.id, now=held.front.now))


async def others(held: Held) -> None:
    pages = held.front.services.get(self_service)
    mine = await _session(held, True)
    assert await pages.end_others(held.account, mine, caller=CALLER, now=held.front.now) == 1


async def others_by(held: Held) -> None:
    ends = held.front.services.get(revoker)
    mine = await _session(held, True)
    await _commit(held, await ends.others_by(mine, ("totp",), now=held.front.now, reason="revoked"))


async def device(held: Held) -> None:
    ends = held.front.services.get(revoker)
    lost = await _session(held, False)
    await _commit(held, await ends.device(lost, now=held.front.now, reason="ended_by_owner"))


async def session(held: Held) -> None:
    pages = held.front.services.get(self_service)
    lost = await held.session_id(held.there)
    assert await pages.end_device(held.account, lost, caller=CALLER, now=held.front.now)


async def whole_session(held: Held) -> None:
    ends = held.front.services.get(revoker)
    lost = await _session(held, False)
    reason = "signed_out_by_provider"
    await _commit(held, await ends.session(lost, now=held.front.now, reason=reason, offline=True))


async def disconnected(held: Held) -> None:
    pages = held.front.services.get(self_service)
    assert await pages.disconnect(held.account, WEB.id, caller=CALLER, now=held.front.now)


async def key_ended(held: Held) -> None:
    keys = held.front.services.get(own_keys)
    (key,) = await keys.find(held.account)
    assert await keys.end(held.account, key.id, caller=CALLER, now=held.front.now)


async def app_access_ended(held: Held) -> None:
    await held.front.services.get(admin.apps).end_access(OPERATOR, WEB.id)


async def app_deleted(held: Held) -> None:
    await held.front.services.get(admin.apps).delete(OPERATOR, WEB.id)


async def grant_revoked(held: Held) -> None:
    form = {"token": str(held.bound["refresh_token"])}
    page = await held.front.browser().ask("POST", "/revoke", form=form, authorization=basic(WEB))
    assert page.status == 200, page.text


async def issuer_deleted(held: Held) -> None:
    await held.front.services.get(admin.issuers).delete(OPERATOR, held.issuer)


OTHER_APP: Final = frozenset({"device_code"})
"""What another app holds."""
OTHER_GRANTS: Final = frozenset({"offline_grant", "authorization_code", "device_code"})
"""What rests on other grants."""
CASES: Final[tuple[tuple[AccessEnd, Act, frozenset[str]], ...]] = (
    (of("person", "reported_by_owner"), reported, frozenset()),
    (of("person", "ended_by_operator"), ended_by_operator, frozenset()),
    (of("person", "account_disabled"), disabled, frozenset()),
    (of("person", "account_deleted"), deleted, frozenset()),
    (of("person", "password_changed"), password_changed, frozenset()),
    (of("person", "password_changed"), password_set, frozenset()),
    (of("person", "password_reset"), reset, frozenset()),
    (of("person", "second_factor_reset"), factors_reset, frozenset()),
    (of("person", "revoked"), copied, frozenset({"factor"})),
    (of("proofs"), proofs, frozenset()),
    (of("proofs", "password_reset"), reset_keeping_sessions, frozenset()),
    (of("others", "ended_by_owner"), others, frozenset()),
    (of("others_by", "revoked"), others_by, frozenset({"factor"})),
    (of("device", "ended_by_owner"), device, frozenset()),
    (of("session", "ended_by_owner"), session, frozenset()),
    (of("whole_session", "signed_out_by_provider"), whole_session, frozenset()),
    (of("app_of_person", "disconnected"), disconnected, OTHER_APP),
    (of("api_key", "ended_by_owner"), key_ended, frozenset()),
    # the key is the person's own
    (of("app", "ended_by_operator"), app_access_ended, OTHER_APP | {"api_key"}),
    (of("app", "app_deleted"), app_deleted, OTHER_APP | {"api_key"}),
    (of("grant", "revoked"), grant_revoked, OTHER_GRANTS),
    (of("issuer"), issuer_deleted, frozenset()),
)
"""The row, the action, and the kinds that its own test is not about: a factor that nothing here removes, or what another app holds."""
RESTS: Final[dict[str, str]] = dict.fromkeys(
    ("refresh_token", "authorization_code", "device_code", "exchange"), "grant"
)
_STAYS: Final = ("reported", "password_changed", "others", "others_by", "device", "session", "whole_session")
_numbers = iter(range(1, 10_000))


async def tried(held: Held) -> dict[str, bool]:
    """By kind, whether it can be used."""
    return {kind: await held.works(kind) for kind in held.uses}


async def test_each_credential_works_while_nothing_has_ended(front: Front) -> None:
    held = await hold(front, next(_numbers))
    assert await tried(held) == dict.fromkeys(held.uses, True)


@pytest.mark.requirement(72, 74, 94)
@pytest.mark.parametrize(("row", "act", "apart"), CASES, ids=lambda one: getattr(one, "__name__", ""))
async def test_what_an_action_ends_cannot_be_used_and_all_else_can(
    front: Front, row: AccessEnd, act: Act, apart: frozenset[str]
) -> None:
    await cells(front, row, act, apart)


@pytest.mark.requirement(72, 94)
@pytest.mark.parametrize("act", [reported, disabled, device])
@on(POSTGRES)
async def test_the_same_of_a_few_actions_on_postgresql(front: Front, act: Act) -> None:
    (row, _, apart) = next(case for case in CASES if case[1] is act)
    await cells(front, row, act, apart)


async def cells(front: Front, row: AccessEnd, act: Act, apart: frozenset[str]) -> None:
    """Make one of each, act, and try all."""
    held = await hold(front, next(_numbers))
    await act(held)
    ended = row.ends | row.itself
    expected = {kind: RESTS.get(kind, kind) not in ended or kind in apart for kind in held.uses}
    stays = (await held.here.get("/account")).status == 200
    try:
        assert await tried(held) == expected
    finally:
        # the action may have removed an app of all
        await furnish(front)
    assert stays == (act.__name__ in {*_STAYS, *_NARROW, *_OF_APPS})


_NARROW: Final = ("proofs", "reset_keeping_sessions", "disconnected", "key_ended")
_OF_APPS: Final = ("app_access_ended", "app_deleted", "grant_revoked", "issuer_deleted")


def test_every_row_is_tried() -> None:
    tried_rows = {(row.subject, row.reasons) for row, _, _ in CASES}
    assert {(row.subject, row.reasons) for row in ENDINGS} == tried_rows
