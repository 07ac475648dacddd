"""Simultaneous delivery of one browser's form to two processes, many times."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet
from tests.waiting import PATIENCE


async def at_once(
    fleet: Fleet,
    person: Person,
    requests: Sequence[tuple[str, str, Mapping[str, str] | None]],
    *,
    first: int = 0,
    **more: str,
) -> list[httpx2.Response]:
    """Send each (method, path, form) over its own connection, alternating between the processes, all at once; no redirect is
    followed and no cookie is kept. `first` is the number of the process that gets the first one; `more` are further headers."""
    bases = [fleet.servers[(first + number) % len(fleet.servers)].base for number in range(len(requests))]
    cookie = "; ".join(f"{name}={value.value}" for name, value in person.cookies.items())
    headers = {"cookie": cookie, "origin": fleet.issuer, "accept": "text/html", "user-agent": person.agent}
    headers |= {"host": urlsplit(fleet.issuer).netloc}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    clients = [httpx2.AsyncClient(verify=False, trust_env=False, timeout=PATIENCE) for _ in requests]

    async def one(number: int) -> httpx2.Response:
        method, path, form = requests[number]
        base = bases[number]
        if form is None:
            return await clients[number].request(method, base + path, headers=headers)
        return await clients[number].request(method, base + path, headers=headers, data=dict(form))

    try:
        await asyncio.gather(*(client.get(f"{bases[n]}/healthz") for n, client in enumerate(clients)))
        return list(await asyncio.gather(*(one(number) for number in range(len(requests)))))
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))


def unmarked(
    form: tuple[str, str, Mapping[str, str] | None],
) -> tuple[str, str, Mapping[str, str] | None]:
    """The same form without its mark, by which the server answers a double click once."""
    method, path, fields = form
    return method, path, {name: value for name, value in (fields or {}).items() if name != "once"}


def form_of(page: Page, form_id: str, **typed: str) -> tuple[str, str, dict[str, str]]:
    """A filled-in form of a page, as one of the requests."""
    form = page.forms[form_id]
    parts = urlsplit(urljoin(page.url, form.action))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "POST", target, {**form.fields, **typed}
