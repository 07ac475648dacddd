"""First uses of large libraries: the event loop goes on while they are loaded, also with a second request.

docs/incidents/0125-the-second-request-waited-for-an-import.md
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doorward.adapters import http_client
from doorward.adapters.background import loaded
from doorward.adapters.http_client import CallFailed, GuardedHttp
from doorward.adapters.mail import smtp
from doorward.adapters.mail.smtp import MailDelayed, SmtpSender, SmtpServer
from doorward.core.lean_import import Deferred
from doorward.core.model.message import EmailMessage
from tests.slow_import import SlowImport
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio
MAIL = EmailMessage(subject="A code", text="1234", html="")


async def test_a_module_is_waited_for_by_all_who_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needed_seldom.py").write_text("VALUE = 7\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = Deferred("needed_seldom")

    async def use() -> object:
        await loaded(module)
        return module.VALUE

    assert await SlowImport(module, monkeypatch).both(use) == [7, 7]


@pytest.mark.parametrize("library", ["aiosmtplib", "policy"])
async def test_two_mails(free_port: int, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    server = SmtpServer(host="127.0.0.1", sender="a@example.com", port=free_port, tls="none")
    sender = SmtpSender(server)
    slow = SlowImport(getattr(smtp, library), monkeypatch)
    outcomes = await slow.both(lambda: sender.send("b@example.com", MAIL, mail_id="mai_1", at=0))
    assert [type(one) for one in outcomes] == [MailDelayed, MailDelayed]


async def test_two_calls(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = [GuardedHttp(timeout=PATIENCE, development=True) for _ in range(2)]
    waiting = [*clients]
    slow = SlowImport(http_client.httpx2, monkeypatch)
    outcomes = await slow.both(lambda: waiting.pop().get(f"http://127.0.0.1:{free_port}/"))
    assert [str(one).partition(":")[0] for one in outcomes] == ["ConnectError"] * 2
    for client in clients:
        await client.close()


async def test_two_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowImport(http_client.httpx2, monkeypatch)
    assert (
        await slow.both(lambda: http_client.host_of("https://bücher.example/"))
        == ["xn--bcher-kva.example"] * 2
    )


async def test_a_call_whose_time_is_over_before_the_library_is_there(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = GuardedHttp(timeout=0.01, development=True)
    slow = SlowImport(http_client.httpx2, monkeypatch)
    calls = [asyncio.ensure_future(client.get(f"http://127.0.0.1:{free_port}/")) for _ in range(2)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    slow.go_on.set()
    assert [str(one) for one in outcomes] == ["no answer within 0.01 s"] * 2
    assert {type(one) for one in outcomes} == {CallFailed}
    await loaded(http_client.httpx2)
