"""Limits on what a signed-in person can write: audit log, outbox and database cannot be filled from the account pages.

docs/incidents/0049-one-person-filled-everybodys-revocation-view.md
"""

from __future__ import annotations

import pytest

from doorward.core.model.secret import Secret
from doorward.features.authn.factors.password.change import Changed
from doorward.features.rate_limits.rules.budget import CHANGES
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, Browser, House, code_for, key_bytes

pytestmark = pytest.mark.anyio


async def signed_in(house: House) -> Browser:
    browser = house.browser()
    assert (await browser.sign_in()).status == 303
    return browser


async def count(house: House, kind: str) -> int:
    return (await house.kinds()).count(kind)


@pytest.mark.requirement(93)
async def test_profile_changes_are_limited_within_a_window(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    page = await browser.get("/account")
    for number in range(CHANGES):
        assert (await browser.submit(page, "profile", name=f"Ada {number}")).status == 303
    for number in range(5):
        refused = await browser.submit(page, "profile", name=f"Eve {number}")
        assert refused.status == 429
        assert int(refused.header("retry-after") or 0) > 0
        assert "too many" in (refused.problem or "").lower()
    # saving the stored value is not a change
    assert (await browser.submit(page, "profile", name=f"Ada {CHANGES - 1}")).status == 303
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.name == f"Ada {CHANGES - 1}"
    assert await count(house, "account.profile_changed") == CHANGES
    house.later(901)
    assert (await browser.submit(page, "profile", name="Ada")).status == 303


@pytest.mark.requirement(93)
async def test_the_limit_of_one_person_does_not_affect_another(house: House) -> None:
    await house.person()
    bob = await house.person("bob@example.com")
    browser = await signed_in(house)
    page = await browser.get("/account")
    for number in range(CHANGES + 1):
        await browser.submit(page, "profile", name=f"Ada {number}")
    saved = await house.pages.save_profile(bob, name="Robert", locale=None, caller=CALLER, now=house.now)
    assert getattr(saved, "name", None) == "Robert"


@pytest.mark.requirement(93)
async def test_new_recovery_codes_and_their_mails_are_limited(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    assert (await browser.submit(asked, "second-factor", code=code_for(seed, house.now))).status == 303
    made = await count(house, "recovery_codes.made")
    form = {"csrf": (await browser.get("/account")).forms["profile"].fields["csrf"]}
    answers = [(await browser.post("/account/methods/recovery", form)).status for _ in range(CHANGES + 5)]
    assert 200 in answers
    assert set(answers[CHANGES:]) == {429}
    assert await count(house, "recovery_codes.made") <= made + CHANGES
    assert [kind for _, kind, _ in await house.mails()].count("recovery_codes_made") <= CHANGES


@pytest.mark.requirement(93)
async def test_authenticator_set_ups_are_limited(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    outcomes: list[str] = []
    for _ in range(CHANGES + 3):
        setup = house.own_app.begin(account, session.id, house.now)
        typed = code_for(key_bytes(setup.key), house.now)
        outcome = await house.set_up_app(account, session, setup.sealed, typed)
        outcomes.append(type(outcome).__name__)
    assert outcomes == ["NewFactor"] * CHANGES + ["Wait"] * 3
    assert await count(house, "second_factor.added") == CHANGES


@pytest.mark.requirement(93)
async def test_reports_always_take_effect_but_only_some_are_audited(house: House) -> None:
    account = await house.person()
    await signed_in(house)
    event = next(one for one in await house.audit() if one.kind == "sign_in.succeeded")
    current = await house.session(account)
    for _ in range(CHANGES + 5):
        other = await house.session(account)
        assert await house.pages.report(account, current, event.id, caller=CALLER, now=house.now)
        ended = await house.store.sessions.get(other.id)
        assert ended is not None
        assert ended.end_reason == "reported_by_owner"
    assert await count(house, "account.activity_reported") == CHANGES


@pytest.mark.requirement(93)
async def test_sessions_started_with_a_known_password_are_limited(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    page = await browser.get("/account/confirm")
    while house.begun.full(f"password {account.id}", house.now) is None:
        house.begun.note(f"password {account.id}", house.now)
    lines = await house.kinds()
    assert (await browser.submit(page, "confirm", password=PASSWORD)).status == 429
    elsewhere = await house.browser("198.51.100.7").sign_in()
    assert (elsewhere.status, int(elsewhere.header("retry-after") or 0) > 0) == (429, True)
    assert await house.kinds() == lines
    # a wrong password gets the usual answer, and another person is not affected
    await house.person("bob@example.com")
    assert (await house.browser("198.51.100.7").sign_in(password="not the one at all")).status == 400
    assert (await house.browser("198.51.100.7").sign_in("bob@example.com")).status == 303
    house.later(901)
    assert (await house.browser("198.51.100.7").sign_in()).status == 303


@pytest.mark.requirement(93)
async def test_a_stolen_session_cannot_use_up_the_limit_of_the_password_holder(house: House) -> None:
    """docs/incidents/0038-a-stolen-session-that-held-up-its-owner.md"""
    account = await house.person()
    await house.authenticator(account)
    stolen, session = await house.session(account), await house.session(account)
    for _ in range(CHANGES + 1):
        await house.own_codes.new_codes(account, stolen, caller=CALLER, now=house.now)
    assert await house.remove_app(account, session) is None
    changed = await house.change.change(
        account,
        session,
        current=Secret(PASSWORD),
        new=Secret(OTHER_PASSWORD),
        caller=CALLER,
        now=house.now,
    )
    assert isinstance(changed, Changed)


@pytest.mark.requirement(93)
async def test_sign_ins_started_by_a_session_do_not_block_sign_in_by_password(house: House) -> None:
    """docs/incidents/0038-a-stolen-session-that-held-up-its-owner.md"""
    account = await house.person()
    while house.begun.full(account.id, house.now) is None:
        house.begun.note(account.id, house.now)
    assert (await house.browser("198.51.100.7").sign_in()).status == 303


@pytest.mark.requirement(93)
async def test_a_stolen_session_cannot_begin_confirmations_without_end_and_holds_up_nobody(
    house: House,
) -> None:
    """docs/incidents/0066-a-row-for-each-wrong-confirmation.md"""
    account = await house.person()
    stolen = await house.signed_in()
    (session,) = await house.store.sessions.live_of(account.id, house.now)
    owner = await house.signed_in()
    page = await stolen.get("/account/confirm")
    before = house.begun.counter.count(f"confirm {session.id}", house.now)[0]
    assert (await stolen.submit(page, "confirm", password="wrong")).status == 400
    assert house.begun.counter.count(f"confirm {session.id}", house.now)[0] == before + 1
    while house.begun.full(f"confirm {session.id}", house.now) is None:
        house.begun.note(f"confirm {session.id}", house.now)
    for form, typed in (("confirm", {"password": PASSWORD}), ("confirm-other", {})):
        assert (await stolen.submit(page, form, **typed)).status == 429
    done = await owner.submit(await owner.get("/account/confirm"), "confirm", password=PASSWORD)
    assert done.header("location") == "/account"
