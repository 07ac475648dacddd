"""Attacks on the link "This wasn't me" of a notice: scanned, replayed, stolen, guessed, dismissed, and used by whoever reads the mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.message import EMAIL_PURPOSE
from tests.browsing import PASSWORD, SESSION, Page
from tests.engines import POSTGRES_IN_SOAK
from tests.features.notices.outbox import Outbox, link_of
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
ENGINES = POSTGRES_IN_SOAK
NEW = "walrus canyon velvet twelve"


@pytest.fixture
async def front(own_database: str | None) -> AsyncIterator[Front]:
    async with front_channel(database=own_database or ":memory:") as started:
        yield started


async def told(front: Front, account: Account, kind: str = "new_device") -> str:
    """The path of the link in a new mail to the owner."""
    outbox = Outbox(front)
    await outbox.happens(kind, account)
    (*_, (_, mail)) = await outbox.run(3600)
    return link_of(mail)


async def press(tab: Tab, page: Page, answer: str) -> Page:
    """Press one of the two buttons."""
    return await tab.submit(page, "not-me", answer=answer)


async def state(front: Front, account: Account) -> tuple[object, ...]:
    """All that the link could change."""
    store = front.store
    token_rows = await store.sessions.live_of(account.id, front.now)
    lines = [*await front.audited("notice.not_me"), *await front.audited("notice.was_me")]
    known = await store.sessions.known_device((digest("mine"),), account.id)
    return await store.accounts.get(account.id), len(token_rows), lines, known


@pytest.fixture
async def ada(front: Front) -> Account:
    """Signed in twice, on a known device."""
    account = await front.person()
    for secret in ("s", "t"):
        await front.session(account, secret * 43)
    await front.store.commit(front.store.sessions.remember_device(digest("mine"), account.id, front.now))
    return account


@pytest.mark.requirement(83, 94)
async def test_scanners_and_previews_change_nothing(front: Front, ada: Account) -> None:
    """GET, HEAD and what a page loads ahead are not an answer, however often."""
    link, before = await told(front, ada), await state(front, ada)
    scanner = front.browser("203.0.113.9")
    for _ in range(3):
        page = await scanner.get(link)
        assert page.status == 200
        assert await state(front, ada) == before
    for headers in ({"purpose": "prefetch"}, {"sec_purpose": "prefetch;prerender"}, {"x_moz": "prefetch"}):
        assert (await scanner.ask("GET", link, **headers)).status == 200
    await scanner.ask("HEAD", link)
    await scanner.ask("OPTIONS", link)
    assert await state(front, ada) == before
    assert "ada@example.com" not in (await scanner.get(link)).text


@pytest.mark.requirement(70)
async def test_a_form_of_another_site_or_without_its_token_is_no_answer(front: Front, ada: Account) -> None:
    link, before = await told(front, ada), await state(front, ada)
    token = link.partition("=")[2]
    for answer in ("not_me", "was_me"):
        victim = front.browser()
        await victim.get(link)
        page = await victim.foreign_post("/not-me", {"token": token, "answer": answer})
        assert page.status == 403
        page = await victim.post("/not-me", {"token": token, "answer": answer, "csrf": "no"})
        assert page.status == 403
    assert await state(front, ada) == before


async def test_it_ends_everything_and_signs_nobody_in(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    before = await front.store.accounts.get(ada.id)
    thief = front.browser("203.0.113.9")
    done = await press(thief, await thief.get(link), "not_me")
    assert done.status == 200
    assert "Step 1 of 4 is done" in done.words
    assert await front.store.sessions.live_of(ada.id, front.now) == []
    assert await front.store.sessions.known_device((digest("mine"),), ada.id) is None
    assert SESSION not in thief.cookies
    assert (await thief.get("/account")).status == 303
    after = await front.store.accounts.get(ada.id)
    assert before is not None
    assert after is not None
    assert structs.replace(after, updated_at=before.updated_at) == before, "no method has changed"
    assert "ada@example.com" not in done.text
    (line,) = await front.audited("notice.not_me")
    assert (line.account_id, line.detail, line.address) == (ada.id, {"notice": "new_device"}, "203.0.113.9")


@pytest.mark.requirement(94, 100)
async def test_a_link_is_used_once_and_says_so(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    owner, late = front.browser(), front.browser("203.0.113.9")
    form, kept = await owner.get(link), await late.get(link)
    assert (await press(owner, form, "not_me")).status == 200
    await front.session(ada, "u" * 43)
    for answer in ("not_me", "was_me"):
        posted = await press(late, kept, answer)
        assert posted.status == 410
        assert "All access was ended with it on" in posted.words
    shown = await late.get(link)
    assert shown.status == 410
    assert "not-me" not in shown.forms
    assert len(await front.store.sessions.live_of(ada.id, front.now)) == 1
    assert len(await front.audited("notice.not_me")) == 1


async def test_one_answer_ends_the_links_of_all_earlier_mails(front: Front, ada: Account) -> None:
    first, second = await told(front, ada), await told(front, ada)
    owner = front.browser()
    await press(owner, await owner.get(second), "not_me")
    shown = await owner.get(first)
    assert shown.status == 410
    assert "All access that it could end was ended on" in shown.words
    third = await told(front, ada)
    assert (await owner.get(third)).status == 200


@pytest.mark.requirement(94)
async def test_a_link_that_the_owner_dismissed_is_dead_and_tells_that_it_was(
    front: Front, ada: Account
) -> None:
    """A thief who reads the mailbox may answer first: the owner's click says so, and their activity has it."""
    link = await told(front, ada)
    before = (await state(front, ada))[:2]
    reader = front.browser("203.0.113.9")
    assert "Nothing was changed" in (await press(reader, await reader.get(link), "was_me")).words
    assert (await state(front, ada))[:2] == before
    owner = front.browser()
    shown = await owner.get(link)
    assert shown.status == 410
    assert "Somebody answered “It was me” with it on" in shown.words
    assert 'href="/reset"' in shown.text
    (line,) = await front.audited("notice.was_me")
    assert line.address == "203.0.113.9"
    signed_in = await front.signed_in()
    assert (
        "Somebody told us by a message of ours that it was you"
        in (await signed_in.get("/account/activity")).words
    )


@pytest.mark.requirement(94)
async def test_a_thief_in_the_account_cannot_disarm_the_links(front: Front, ada: Account) -> None:
    """Neither a new password nor a new address does: the owner's unread mails still end all access."""
    link = await told(front, ada)
    taken = await front.change(
        ada, email="thief@example.com", password_hash="other", password_changed_at=front.now
    )
    owner = front.browser()
    assert (await press(owner, await owner.get(link), "not_me")).status == 200
    assert await front.store.sessions.live_of(taken.id, front.now) == []


@pytest.mark.requirement(94)
async def test_a_reset_that_signs_out_everywhere_ends_the_links(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    for ends, status in ((None, 200), ("yes", 410)):
        owner = front.browser()
        check = await owner.follow(
            await owner.submit(await owner.get("/reset"), "reset", email=ada.email or "")
        )
        mails = [row for row in await front.store.messages.recent_mail() if row.kind == "reset_password"]
        message = opened(front, mails[0].id, mails[0].sealed)
        form = await owner.follow(await owner.submit(check, "check", code=message))
        fields = {"password": NEW} if ends is not None else {"password": NEW, "end_sessions": ""}
        assert (await owner.submit(form, "new-password", **fields)).status == 303
        assert (await front.browser().get(link)).status == status
        front.clock.time += 3600


def opened(front: Front, mail_id: str, sealed: bytes) -> str:
    """The code in a sealed mail."""
    return msgspec.json.decode(front.services.sealer.open(EMAIL_PURPOSE, mail_id, sealed))["code"]


async def test_a_link_expires_and_ends_with_the_account(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    await front.change(ada, disabled_at=front.now)
    assert (await front.browser().get(link)).status == 410
    await front.change(ada, disabled_at=None)
    assert (await front.browser().get(link)).status == 200
    front.clock.time += 7 * 86_400
    shown = await front.browser().get(link)
    assert shown.status == 410
    assert "It has expired" in shown.words


async def test_an_invented_link_gets_the_same_page_as_an_expired_one(front: Front, ada: Account) -> None:
    pages: set[str] = set()
    for token in ("", "x", "a" * 43, "%C3%A9" * 90, "a" * 5000):
        page = await front.browser().get(f"/not-me?token={token}")
        assert page.status == 410
        pages.add(page.words)
    assert len(pages) == 1
    assert len(await front.store.sessions.live_of(ada.id, front.now)) == 2


async def test_only_a_hash_of_the_token_is_stored(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    token = link.partition("=")[2]
    stored = await front.store.owner_notices.link(digest(token))
    assert stored is not None
    assert stored.account_id == ada.id
    for row in await front.store.messages.recent_mail():
        assert token.encode() not in row.sealed


async def test_the_owner_is_led_through_all_four_steps(front: Front, ada: Account) -> None:
    link = await told(front, ada)
    owner = front.browser()
    done = await press(owner, await owner.get(link), "not_me")
    assert "Step 2 of 4" in done.words
    reset = next(part for part in done.text.split('"') if part.startswith("/reset?flow="))
    check = await owner.follow(await owner.submit(await owner.get(reset), "reset", email=ada.email or ""))
    row = next(row for row in await front.store.messages.recent_mail() if row.kind == "reset_password")
    form = await owner.follow(await owner.submit(check, "check", code=opened(front, row.id, row.sealed)))
    sign_in = await owner.follow(await owner.submit(form, "new-password", password=NEW))
    arrived = await owner.submit(sign_in, "sign-in", identifier=ada.email or "", password=NEW)
    third = await owner.on(arrived)
    assert third.path == "/account/review/methods"
    assert "Step 3 of 4" in third.words
    fourth = await owner.get("/account/review/apps")
    assert "Step 4 of 4" in fourth.words
    assert (await front.browser().get("/account/review/apps")).status == 303


async def test_a_session_in_the_browser_that_answers_ends_too(front: Front) -> None:
    account = await front.person()
    tab = await front.signed_in()
    link = await told(front, account)
    done = await press(tab, await tab.get(link), "not_me")
    assert done.status == 200
    assert (await tab.get("/account")).status == 303
    back = await tab.sign_in(password=PASSWORD)
    assert back.status == 303
