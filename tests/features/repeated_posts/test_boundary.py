"""Repeated POSTs: a double click has one effect and gets its answer; no other browser gets that answer."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from msgspec.structs import replace

from doorward.app.http import http_app
from doorward.features.repeated_posts import rules as repeat
from doorward.web.router import App
from tests.browsing import BROWSER, PASSWORD, SESSION, Page
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab, said, sent_to
from tests.waiting import until_async

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(100)]
NEW = "walrus canyon velvet twelve"


def another_process(front: Front) -> App:
    """A second process on the same database."""
    container = replace(front.container, services=replace(front.services))
    return http_app(container, process_tag="u")


def twin(tab: Tab, app: App | None = None) -> Tab:
    """A copy of the browser with the cookies that it had before the first answer."""
    other = Tab(app or tab.app, tab.address)
    other.cookies = dict(tab.cookies)
    return other


def told(page: Page) -> list[tuple[str, str]]:
    """The headers that matter to the browser."""
    return [(name, value) for name, value in page.headers if name in {"location", "set-cookie"}]


async def typed(tab: Tab) -> dict[str, str]:
    page = await tab.get("/sign-in")
    return {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same process", "another process"])
@pytest.mark.parametrize("at_once", [False, True], ids=["afterwards", "at once"])
async def test_a_sign_in_posted_twice_yields_one_session_with_one_cookie(
    front: Front, at_once: bool, elsewhere: bool
) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    second = twin(tab, another_process(front) if elsewhere else None)
    if at_once:
        pages = await asyncio.gather(tab.post("/sign-in", fields), second.post("/sign-in", fields))
    else:
        pages = [await tab.post("/sign-in", fields), await second.post("/sign-in", fields)]
    assert [page.status for page in pages] == [303, 303]
    assert told(pages[0]) == told(pages[1])
    assert tab.cookies[SESSION] == second.cookies[SESSION]
    assert len(await front.store.sessions.live_of("usr_ada", front.now)) == 1
    assert len(await front.audited("sign_in.succeeded")) == 1
    assert (await second.get("/account")).status == 200


async def test_a_password_change_posted_twice_has_one_effect_and_one_confirmation(front: Front) -> None:
    await front.person()
    tab = front.browser()
    await tab.sign_in()
    mails = len(await front.store.messages.recent_mail())
    page = await tab.get("/account/methods")
    fields = {**page.forms["password-change"].fields, "current": PASSWORD, "new": NEW}
    second = twin(tab)
    pages = await asyncio.gather(
        tab.post("/account/methods/password", fields), second.post("/account/methods/password", fields)
    )
    assert told(pages[0]) == told(pages[1])
    for each, answer in zip((tab, second), pages, strict=True):
        shown = await each.follow(answer)
        assert "Your password is changed." in shown.words
        assert shown.problem is None
    # with the cookie already set by the first answer, as if the second click came after it
    assert told(await tab.post("/account/methods/password", fields)) == told(pages[0])
    assert len(await front.audited("password.changed")) == 1
    assert len(await front.store.messages.recent_mail()) == mails + 1


async def test_consent_given_twice_yields_one_code(front: Front) -> None:
    await front.person()
    tab = front.browser()
    await tab.sign_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    first, again = await tab.post("/consent", fields), await tab.post("/consent", fields)
    assert said(first) == said(again)
    assert first.text == again.text
    assert len(await front.audited("consent.granted")) == 1
    assert len(await front.store.grants.live_of_account("usr_ada", front.now)) == 1
    assert (await front.redeem(made.client(), said(again)["code"]))["status"] == 200


async def test_a_wrong_password_posted_twice_is_one_attempt(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = {**await typed(tab), "password": "not the password"}
    pages = [await tab.post("/sign-in", fields) for _ in range(2)]
    assert [page.status for page in pages] == [400, 400]
    assert pages[0].text == pages[1].text
    assert len(await front.audited("sign_in.failed")) == 1
    # typed again on a page that was shown again, it is another attempt
    shown = await tab.get("/sign-in")
    await tab.submit(shown, "sign-in", identifier="ada@example.com", password="not the password")
    assert len(await front.audited("sign_in.failed")) == 2


async def test_a_mail_requested_twice_is_sent_once(front: Front) -> None:
    await front.person()
    tab = front.browser()
    page = await tab.get("/reset")
    pages = [await tab.submit(page, "reset", email="ada@example.com") for _ in range(3)]
    assert len({sent_to(each) for each in pages}) == 1
    assert len(await front.store.messages.recent_mail()) == 1


async def test_after_ten_seconds_it_is_a_new_post(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = {**await typed(tab), "password": "not the password"}
    await tab.post("/sign-in", fields)
    front.clock.time += repeat.KEPT_FOR - 1
    await tab.post("/sign-in", fields)
    assert len(await front.audited("sign_in.failed")) == 1
    front.clock.time += 1
    await tab.post("/sign-in", fields)
    assert len(await front.audited("sign_in.failed")) == 2


async def test_no_answer_is_repeated_after_a_sign_out(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    before = twin(tab)
    await tab.post("/sign-in", fields)
    signed_in, secret = twin(tab), tab.cookies[SESSION]
    page = await tab.get("/logout")
    assert (await tab.submit(page, "sign-out", confirm="yes")).status == 303
    for thief in (before, signed_in):
        # a thief with all of it, the password too, can sign in, but never gets the ended session
        answer = await thief.post("/sign-in", fields)
        assert secret not in str(told(answer))
    (ended,) = await front.audited("session.ended")
    assert all(
        each.id != ended.session_id for each in await front.store.sessions.live_of("usr_ada", front.now)
    )


async def test_a_sign_out_by_get_deletes_the_stored_answer_too(front: Front) -> None:
    await front.person()
    tab = front.browser()
    await tab.sign_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    code = said(await tab.submit(page, "consent", decision="allow"))["code"]
    hint = (await front.redeem(made.client(), code))["id_token"]
    database = front.store._db
    count = "SELECT count(*) FROM answered_posts"
    assert [tuple(row) for row in await database.all(count, ())] == [(1,)]
    assert (await tab.get(f"/logout?id_token_hint={hint}")).status == 303
    assert await database.all(count, ()) == [(0,)]


async def test_no_answer_is_repeated_for_a_session_ended_elsewhere(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    second = twin(tab)
    await tab.post("/sign-in", fields)
    (session,) = await front.store.sessions.live_of("usr_ada", front.now)
    assert await front.store.commit(front.store.sessions.end(session.id, front.now, "signed_out"))
    answer = await second.post("/sign-in", fields)
    assert second.cookies.get(SESSION) != tab.cookies[SESSION]
    assert tab.cookies[SESSION] not in str(answer.headers)


async def test_a_stolen_browser_cookie_without_the_session_gets_no_answer(front: Front) -> None:
    await front.person()
    tab = front.browser()
    await tab.sign_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    first = said(await tab.post("/consent", fields))
    thief = Tab(tab.app, "203.0.113.9")
    thief.cookies = {BROWSER: tab.cookies[BROWSER]}
    answer = await thief.post("/consent", fields)
    assert first["code"] not in answer.text
    assert first["code"] not in str(answer.headers)


async def test_another_browser_or_another_site_gets_no_answer(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    await tab.post("/sign-in", fields)
    stranger = front.browser()
    await stranger.get("/sign-in")
    assert (await stranger.post("/sign-in", fields)).status == 403
    forged = twin(tab)
    del forged.cookies[SESSION]
    answer = await forged.post("/sign-in", fields, origin="https://evil.example", site="cross-site")
    assert answer.status == 403
    assert SESSION not in forged.cookies


async def test_a_stored_answer_cannot_be_opened_from_the_database_alone(front: Front) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    await tab.post("/sign-in", fields)
    browser, session = tab.cookies[BROWSER], tab.cookies[SESSION]
    database = front.store._db
    ((place, post, sealed),) = await database.all("SELECT place, post, sealed FROM answered_posts", ())
    assert place == repeat.place(browser)
    for secret in (browser, session, PASSWORD, hashlib.sha256(PASSWORD.encode()).hexdigest()):
        assert secret.encode() not in sealed
        assert secret not in post
    sealer = front.services.sealer
    assert sealer.open_under(browser, "answered post", sealed)
    for wrong in ("", "A" * 43, hashlib.sha256(browser.encode()).hexdigest()):
        with pytest.raises(ValueError, match="not sealed"):
            sealer.open_under(wrong, "answered post", sealed)
    with pytest.raises(ValueError, match="not sealed"):
        sealer.open("answered post", "", sealed)


@pytest.mark.requirement(93)
async def test_a_flood_of_posts_fills_a_limited_number_of_rows(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeat, "PLACES", 8)
    for _ in range(40):
        tab = front.browser()
        page = await tab.get("/sign-in")
        assert (await tab.submit(page, "sign-in", identifier="x" * 200, password="")).status == 400
    database = front.store._db
    rows = await database.all("SELECT length(sealed) FROM answered_posts", ())
    assert 1 <= len(rows) <= 8
    assert max(row[0] for row in rows) <= repeat.MOST
    assert await front.store.sweep(front.now + repeat.CLAIMED_FOR) == len(rows)


async def test_a_post_whose_processing_failed_is_processed_again(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    broken = asyncio.Event()

    async def refuses(*_: object) -> None:
        broken.set()
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(front.store.sign_ins), "get", refuses)
        assert (await tab.post("/sign-in", {**fields, "flow": "sin_x"})).status == 500
    assert broken.is_set()
    assert (await tab.post("/sign-in", fields)).status == 303


async def test_a_waiting_repeat_is_released_when_the_first_never_finishes(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process of the first was killed: its claim remains, and no answer follows."""
    await front.person()
    tab = front.browser()
    fields = await typed(tab)
    monkeypatch.setattr(repeat, "PAUSES", (0.0, 0.0, 0.0))
    hung = asyncio.Event()
    began = asyncio.Event()
    check = type(front.store.accounts).by_email

    async def hangs(*args: object) -> object:
        if not began.is_set():
            began.set()
            await hung.wait()
        return await check(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(type(front.store.accounts), "by_email", hangs)
    first = asyncio.create_task(twin(tab).post("/sign-in", fields))
    await until_async(began.is_set)
    assert (await tab.post("/sign-in", fields)).status == 303
    hung.set()
    await first


async def test_every_form_of_every_page_has_a_unique_value(front: Front) -> None:
    await front.person()
    tab = front.browser()
    await tab.sign_in()
    seen: list[str] = []
    for path in ("/account", "/account/methods", "/account/activity", "/logout", "/account/confirm") * 2:
        forms = (await tab.get(path)).forms.values()
        (once,) = {form.fields["once"] for form in forms}
        assert repeat.told_apart(once)
        seen.append(once)
    assert len(set(seen)) == len(seen)
