"""Every outgoing call: only to checked addresses, without redirects, within a size and a time (R63)."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from doorward.adapters.http_client import DOCUMENT, CallFailed, GuardedHttp
from doorward.adapters.outgoing_address import any_host
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(63)]

NAME = "provider.example"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver whose answers a test sets, and which counts its questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Site:
    """An https server on loopback with a certificate for `NAME`. It keeps the heads of requests."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.heads: list[bytes] = []
        self.port = 0
        self.trusting = ssl.create_default_context()
        self.authority.configure_trust(self.trusting)

    @asynccontextmanager
    async def serving(self, answer: Answer, host: str = "127.0.0.1") -> AsyncGenerator[None]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await answer(writer)
            writer.close()

        side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(NAME).configure_cert(side)
        server = await asyncio.start_server(serve, host, self.port, ssl=side)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()

    def url(self, path: str = "/") -> str:
        return f"https://{NAME}:{self.port}{path}"


def says(head: str, body: bytes = b"") -> Answer:
    """An answer with these header lines."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()

    return answer


def json_of(body: bytes) -> Answer:
    return says(
        f"HTTP/1.1 200 OK\nContent-Type: application/json; charset=utf-8\nContent-Length: {len(body)}", body
    )


@asynccontextmanager
async def calling(
    site: Site, names: Names, *, private: Callable[[str], bool] = any_host, timeout: float = PATIENCE
) -> AsyncGenerator[GuardedHttp]:
    http = GuardedHttp(timeout=timeout, context=site.trusting, may_be_private=private, resolve=names.resolve)
    yield http
    await http.close()


async def test_the_connection_goes_to_the_checked_address_under_the_hosts_own_name() -> None:
    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(json_of(b'{"a": 1}')), calling(site, names) as http:
        answer = await http.get(site.url("/x?y=1"), headers={"accept": "application/json"})
    assert (answer.status, answer.body, answer.media_type) == (200, b'{"a": 1}', "application/json")
    assert names.asked == [(NAME, site.port)]
    (head,) = site.heads
    assert head.startswith(b"GET /x?y=1 HTTP/1.1\r\n")
    assert f"host: {NAME}:{site.port}\r\n".encode() in head.lower()


async def test_a_name_that_changes_after_the_check_leads_nowhere_else() -> None:
    """DNS rebinding: the second answer would be this machine. It is never asked for."""
    site, names = Site(), Names(["203.0.113.5"], ["127.0.0.1"])
    async with (
        site.serving(json_of(b"{}")),
        calling(site, names, private=lambda _: False, timeout=0.5) as http,
    ):
        with pytest.raises(CallFailed):
            await http.get(site.url())
    assert len(names.asked) == 1
    assert site.heads == []


async def test_a_certificate_of_another_name_is_refused_although_the_address_is_right() -> None:
    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(json_of(b"{}")), calling(site, names) as http:
        with pytest.raises(CallFailed, match="certificate is not trusted"):
            await http.get(f"https://other.example:{site.port}/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
    ],
)
@pytest.mark.parametrize("public_too", [False, True])
async def test_a_private_address_is_refused_unless_the_operator_named_the_host(
    address: str, public_too: bool
) -> None:
    site = Site()
    names = Names(["93.184.215.14", address] if public_too else [address])
    async with calling(site, names, private=lambda host: host == "named.example") as http:
        with pytest.raises(CallFailed, match="not public"):
            await http.get(f"https://{NAME}/")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "nonsense",
    ],
)
async def test_some_addresses_are_refused_even_for_hosts_that_the_operator_named(address: str) -> None:
    async with calling(Site(), Names([address])) as http:
        with pytest.raises(CallFailed, match="may not be called: its host has the address"):
            await http.get(f"https://{NAME}/")


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
    ],
)
async def test_an_address_in_the_url_itself_is_checked_too(url: str) -> None:
    """With the machine's own resolver, which knows the old notations of IPv4 addresses."""
    http = GuardedHttp(timeout=PATIENCE)
    with pytest.raises(CallFailed, match=r"not public|gaierror"):
        await http.get(url)
    await http.close()


async def test_http_goes_to_this_machine_only_even_in_development() -> None:
    names = Names(["93.184.215.14"])
    http = GuardedHttp(timeout=PATIENCE, development=True, resolve=names.resolve, may_be_private=any_host)
    with pytest.raises(CallFailed, match="this machine only"):
        await http.get("http://localhost:1/")
    with pytest.raises(CallFailed, match="https alone"):
        await http.get("http://provider.example/")
    await http.close()


async def test_the_next_address_is_tried_when_one_refuses_the_connection() -> None:
    site, names = Site(), Names(["127.0.0.2", "127.0.0.1"])
    async with site.serving(json_of(b"{}")), calling(site, names) as http:
        assert (await http.get(site.url())).status == 200
    assert len(site.heads) == 1


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    site, names = Site(), Names(["127.0.0.1"])
    to_itself = says("HTTP/1.1 302 Found\nLocation: /elsewhere\nContent-Length: 0")
    async with site.serving(to_itself), calling(site, names) as http:
        assert (await http.get(site.url())).status == 302
    assert len(site.heads) == 1


async def test_a_document_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    site, names = Site(), Names(["127.0.0.1"])
    async with calling(site, names) as http:
        async with site.serving(json_of(b" " * DOCUMENT)):
            assert len((await http.get(site.url())).body) == DOCUMENT
        async with site.serving(json_of(b" " * (DOCUMENT + 1))):
            with pytest.raises(CallFailed, match="longer than"):
                await http.get(site.url())
            with pytest.raises(CallFailed, match="longer than"):
                await http.post_for_document(site.url(), data={"a": "b"})
        async with site.serving(json_of(b" " * (DOCUMENT + 1))):
            assert len((await http.post(site.url(), data={"a": "b"})).body) == 5 * 1024


async def test_an_endless_answer_ends_with_the_limit() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(endless), calling(site, names) as http:
        with pytest.raises(CallFailed, match="longer than"):
            await http.get(site.url())


async def test_a_compressed_answer_is_refused_without_being_opened() -> None:
    packed = gzip.compress(b"{}" + b" " * 10_000_000)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(packed)}"
    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(says(head, packed)), calling(site, names) as http:
        with pytest.raises(CallFailed, match="compressed"):
            await http.get(site.url())
    assert b"accept-encoding: identity\r\n" in site.heads[0].lower()


async def test_an_answer_that_drips_ends_with_the_time_for_the_whole_call() -> None:
    """Each byte comes well within the limit for one read; only the limit for the whole call ends it."""
    dripped = 0

    async def drip(writer: asyncio.StreamWriter) -> None:
        nonlocal dripped
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            dripped += 1
            await asyncio.sleep(0.05)

    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(drip), calling(site, names, timeout=0.9) as http:
        with pytest.raises(CallFailed, match=r"no answer within 0\.9 s"):
            await http.get(site.url())
    assert dripped < 2000


async def test_a_resolver_that_hangs_ends_with_the_time_for_the_whole_call() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        del host, port
        await asyncio.Event().wait()
        return []

    http = GuardedHttp(timeout=0.1, resolve=never)
    with pytest.raises(CallFailed, match="no answer within"):
        await http.get(f"https://{NAME}/")
    await http.close()


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up once more, by itself."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site, names = Site(), Names(["127.0.0.1"])
    async with site.serving(json_of(b"{}")), calling(site, names) as http:
        assert (await http.get(site.url())).status == 200
