"""Test that a double click whose two requests reach two processes has one effect, on either database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from doorward.features.admin import build as admin
from doorward.web.cookies import CookieJar
from tests.browsing import Page, _Forms
from tests.engines import BOTH
from tests.flows.processes import Fleet, processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.waiting import PATIENCE

ENGINES = BOTH
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


def form_at(client: httpx2.Client, path: str, form: str) -> dict[str, str]:
    """The values of the page's form."""
    answer = client.get(path, headers={"accept": "text/html"})
    reader = _Forms()
    reader.feed(answer.text)
    return Page(answer.status_code, [], answer.text, path, reader.forms).forms[form].fields


def at_once(fleet: Fleet, client: httpx2.Client, path: str, fields: dict[str, str]) -> list[httpx2.Response]:
    """The same post with the same cookies to each of the processes."""
    line = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    def post(base: str) -> httpx2.Response:
        headers = {**FORM, "origin": fleet.issuer, "cookie": line, "host": fleet.issuer.partition("//")[2]}
        return httpx2.post(base + path, data=fields, headers=headers, trust_env=False, timeout=PATIENCE)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(post, [server.base for server in fleet.servers] * 2))


@pytest.mark.requirement(100)
def test_a_double_click_gives_one_session_one_mail_one_line_over_two_processes(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        with httpx2.Client(base_url=fleet.issuer, trust_env=False, timeout=PATIENCE) as client:
            fields = form_at(client, "/sign-in", "sign-in")
            fields |= {"identifier": "ada@example.com", "password": PASSWORD}
            answers = at_once(fleet, client, "/sign-in", fields)
            assert {answer.status_code for answer in answers} == {303}
            session = CookieJar.of(fleet.issuer).name("session")
            cookies = {answer.cookies[session] for answer in answers}
            assert len(cookies) == 1
            client.cookies.set(session, cookies.pop())
            fields = form_at(client, "/account/methods", "password-change")
            fields |= {"current": PASSWORD, "new": "walrus canyon velvet twelve"}
            answers = at_once(fleet, client, "/account/methods/password", fields)
            assert {answer.status_code for answer in answers} == {303}
            assert len({answer.headers["location"] for answer in answers}) == 1
            assert len({answer.cookies[session] for answer in answers}) == 1
        events = operate(
            fleet.config, lambda services: services.get(admin.people).store.audit.page(limit=500)
        )
        kinds = [event.kind for event in events]
        assert kinds.count("sign_in.succeeded") == 1
        assert kinds.count("password.changed") == 1
        mails = operate(
            fleet.config, lambda services: services.get(admin.people).store.messages.recent_mail()
        )
        assert [mail.kind for mail in mails].count("password_changed") == 1
        for server in fleet.servers:
            assert server.unforeseen() == []
