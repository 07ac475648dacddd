"""Attacks by way of an external provider: what it answers, however slow, huge or elsewhere, and the address that it names."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers import build
from tests.browsing import Page
from tests.features.authn.providers.journey import ADA, BOB, Journey, journey
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
PATHS = ("/.well-known/openid-configuration", "/keys", "/token", "/userinfo")
ANSWERS: tuple[tuple[int, Any], ...] = (
    (200, {"padding": "x" * 200_000}),
    (302, {"location": "http://169.254.169.254/"}),
    (200, []),
    (200, "text"),
)


async def signed_in(there: Journey) -> Page:
    """Where the browser ends."""
    tab = there.front.browser()
    page = await tab.on(await tab.get("/sign-in"))
    left = await tab.submit(page, "provider-example")
    if "http-equiv" not in left.text:
        return await tab.on(left)
    return await there.sign_in(there.front.browser(), **{**BOB, "email": None})


async def nobody(there: Journey, page: Page) -> None:
    """Nobody is signed in, the page goes on, and the server has not waited for the provider."""
    assert page.path.startswith("/sign-in/provider?"), (page.path, page.words[:200])
    assert page.problem
    assert "provider-example" in page.text
    assert await there.account("bob@example.net") is None


@pytest.mark.requirement(63)
@pytest.mark.parametrize("path", PATHS)
async def test_a_huge_answer_a_redirect_or_none_at_all_signs_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with journey(tmp_path) as there:
        there.provider.userinfo = {**BOB}
        usual: Callable[..., tuple[int, Any]] = there.provider.answer
        for answer in ANSWERS:

            def spoiled(
                method: str, asked: str, headers: dict[str, str], body: str, answer: Any = answer
            ) -> tuple[int, Any]:
                return answer if asked == path else usual(method, asked, headers, body)

            monkeypatch.setattr(there.provider, "answer", spoiled)
            await nobody(there, await signed_in(there))
            there.front.clock.time += 31
        # nothing of it was kept
        monkeypatch.setattr(there.provider, "answer", usual)
        assert (await signed_in(there)).path == "/account"


@pytest.mark.requirement(63)
@pytest.mark.parametrize("path", PATHS)
async def test_a_slow_answer_signs_nobody_in_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(build, "TIMEOUT", 1.0)
    usual, asked = Upstream.serve, asyncio.Event()

    async def slow(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n")
        if head.split(b" ")[1].decode() != path:
            again = asyncio.StreamReader()
            again.feed_data(head)
            copy = asyncio.ensure_future(_copied(reader, again))
            await usual(self, again, writer)
            copy.cancel()
            return
        asked.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    monkeypatch.setattr(Upstream, "serve", slow)
    async with journey(tmp_path) as there:
        there.provider.userinfo = {**BOB}
        going = asyncio.ensure_future(signed_in(there))
        await asked.wait()
        shown = 0
        while not going.done():
            assert (await there.front.browser().get("/sign-in")).status == 200
            shown += 1
            await asyncio.sleep(0.01)
        await nobody(there, await going)
        assert shown >= 2, "other people's pages waited for the provider"


async def _copied(source: asyncio.StreamReader, to: asyncio.StreamReader) -> None:
    while data := await source.read(4096):
        to.feed_data(data)
    to.feed_eof()


WIDEST: tuple[dict[str, Any], ...] = tuple(
    {
        "email_domains": ("*",),
        "domains": ("example.com",),
        "trusted_amr": ("mfa",),
        "trusted_acr": ("high",),
        "mapping": "each_sign_in",
        "address": address,
        "sign_up": sign_up,
    }
    for address, sign_up in itertools.product(("required", "optional"), (True, False))
)


@pytest.mark.requirement(89)
@pytest.mark.parametrize("section", WIDEST)
async def test_no_setting_links_by_the_address_alone(tmp_path: Path, section: dict[str, Any]) -> None:
    """A line of the field's failures of account linking: whatever a section allows, an address that a provider confirms opens no
    account that exists."""
    async with journey(tmp_path, **section) as there:
        ada = await there.front.person()
        page = await there.sign_in(there.front.browser(), **ADA, amr=["mfa"], acr="high")
        assert page.path != "/account"
        assert await there.front.store.external_identities.of_account(ada.id) == []
        assert await there.front.store.sessions.live_of(ada.id, there.front.now) == []
        assert await there.front.store.accounts.get(ada.id) == ada
