"""Hostile requests: on every route one wrong value at a time, and random requests drawn by hypothesis."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Generator
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.flows.junk import CONTENT_TYPES, FOR_THE_STORE, HEADER_JUNK, HEADERS, JUNK, METHODS
from tests.flows.pieces import SECRET, Browser, Pieces, Spot
from tests.flows.raw import RawRequest

FORM = b"application/x-www-form-urlencoded"
# Values of path parameters: a file's name.
IN_PATH = ("1", "0", "-1", "x", "9" * 400, "%C2%B2", "%D9%A3", "..%2f..%2fetc", "%00", "page.css")
LONGEST_QUERY = 60_000


def one_wrong_thing(
    here: Pieces, browser: Browser, spot: Spot, *, thorough: bool = False, store: bool = False
) -> Generator[RawRequest]:
    """For each method of the route, a correct request; then each parameter in turn is junk, missing or doubled; then each header,
    handled by the same code on every route: with a few kinds of junk, or with all if `thorough`. `store`: only the junk that a database
    could take otherwise than another one, and no headers."""
    for method, names in spot.methods.items():
        for shown in IN_PATH if "{" in spot.path else ("",):
            path = re.sub(r"\{\w+\}", shown, spot.path)
            good = {name: _real(here, browser, name) for name in names}
            yield _request(here, browser, method, path, list(good.items()))
            for name in names:
                others = [(other, value) for other, value in good.items() if other != name]
                yield _request(here, browser, method, path, others)
                yield _request(here, browser, method, path, [*good.items(), (name, good[name])])
                for junk in FOR_THE_STORE if store else JUNK:
                    yield _request(here, browser, method, path, [*others, (name, junk)])
            few = HEADER_JUNK[len(spot.path) % 7 :: 7]
            for name in () if store else HEADERS:
                for junk in HEADER_JUNK if thorough else few:
                    yield _request(here, browser, method, path, list(good.items()), ((name, junk),))


def _real(here: Pieces, browser: Browser, name: str) -> bytes:
    # a browser's own value fits its session; of the apps' values the first belongs to the first app
    return (browser.pieces.get(name) or here.common.get(name) or (b"1",))[0]


def _request(
    here: Pieces,
    browser: Browser,
    method: str,
    path: str,
    pairs: list[tuple[str, bytes]],
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> RawRequest:
    encoded = b"&".join(
        quote_from_bytes(name.encode(), safe="").encode() + b"=" + quote_from_bytes(value, safe="").encode()
        for name, value in pairs
    )
    replaced = {name for name, _ in headers}
    sent = [(b"host", here.host), (b"accept", b"text/html"), (b"cookie", browser.cookie)]
    target = (here.prefix + path).encode()
    body = b""
    if method == "POST":
        # the ticket is in the address
        tickets = [value for name, value in pairs if name == "ticket"]
        ticket = (tickets or browser.pieces.get("ticket", ()))[:1]
        if ticket:
            target += b"?ticket=" + quote_from_bytes(ticket[0], safe="").encode()
        body = encoded
        sent += [(b"content-type", FORM), (b"origin", b"http://" + here.host)]
        sent.append((b"content-length", b"%d" % len(body)))
    elif encoded:
        target += b"?" + encoded[:LONGEST_QUERY]
    kept = [(name, value) for name, value in sent if name not in replaced]
    return RawRequest(method.encode(), target, (*kept, *headers), body)


def _value() -> st.SearchStrategy[bytes]:
    return st.sampled_from(JUNK) | st.text(max_size=60).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )


@st.composite
def parameters(draw: st.DrawFn, here: Pieces, browser: Browser, names: tuple[str, ...]) -> bytes:
    """A query or form: mostly known names, with real values and junk; sometimes unknown, empty, or very many."""
    known = {**here.common, **browser.pieces}
    pairs: list[tuple[bytes, bytes]] = []
    for name in names:
        # most parameters are present and correct, so that the junk gets past the first check
        if draw(st.integers(0, 9)) < 9:
            real = known.get(name, ())
            value = draw(st.sampled_from(real)) if real and draw(st.integers(0, 9)) < 6 else draw(_value())
            pairs.append((name.encode(), value))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        name = draw(st.sampled_from(sorted({*names, *known, "", "x", "csrf ", "\u0000"})))
        pairs.append((name.encode(), draw(st.sampled_from(known.get(name, (b"1",))) | _value())))
    if draw(st.integers(0, 29)) == 0:
        pairs = [(b"p%d" % number, b"1") for number in range(draw(st.sampled_from([199, 201, 5_000])))]
    raw = draw(st.integers(0, 9)) == 0
    text = b"&".join(quote_from_bytes(n, safe="").encode() + b"=" + _encoded(v, raw=raw) for n, v in pairs)
    return draw(st.sampled_from([text, text, text, text, text + b"&", b"&&" + text, text + b"&" + text]))


def _encoded(value: bytes, *, raw: bool) -> bytes:
    if raw:
        # a lone % is sent as such, and bytes that need no escape stay as they are
        return value.replace(b"&", b"%26").replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b" ", b"+")
    return quote_from_bytes(value, safe="").encode()


@st.composite
def requests(draw: st.DrawFn, here: Pieces, browser: Browser, spot: Spot) -> RawRequest:
    """Any request for one route."""
    method = draw(st.sampled_from([*(name.encode() for name in spot.methods)] * 4 + list(METHODS)))
    shown = re.sub(r"\{\w+\}", lambda _: draw(st.sampled_from(IN_PATH)), spot.path)
    target = (here.prefix + shown).encode()
    if draw(st.integers(0, 19)) == 0:
        target += draw(st.sampled_from([b"/", b"//", b"%00", b"%ff", b"/../x", b";x=1"]))
    headers: list[tuple[bytes, bytes]] = [(b"host", here.host), (b"accept", b"text/html")]
    if draw(st.integers(0, 9)):
        headers.append((b"cookie", browser.cookie))
    names = spot.methods.get(method.decode(), spot.names)
    body = b""
    if method not in {b"POST", b"PUT", b"PATCH"} or draw(st.integers(0, 4)) == 0:
        query = draw(parameters(here, browser, names)).replace(b"\x00", b"%00").replace(b"#", b"%23")
        target += b"?" + query[:LONGEST_QUERY]
    if method in {b"POST", b"PUT", b"PATCH"}:
        kind = draw(st.sampled_from((FORM,) * 8 + CONTENT_TYPES))
        body = draw(parameters(here, browser, names))
        if kind == b"application/json":
            body = draw(st.sampled_from(JUNK) | _json(here, names))
        if draw(st.integers(0, 29)) == 0:
            body = b"x=" + b"y" * draw(st.sampled_from([65_533, 65_534, 65_535, 200_000]))
        headers += [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        if draw(st.integers(0, 4)):
            headers.append((b"origin", b"http://" + here.host))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        headers.append((draw(st.sampled_from(HEADERS)), draw(st.sampled_from(HEADER_JUNK))))
    credential = draw(st.integers(0, 5))
    if credential == 0:
        pair = here.common["client_id"][0] + b":" + here.common["client_secret"][0]
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair)))
    elif credential == 1:
        headers.append((b"authorization", b"Bearer " + draw(st.sampled_from(here.common["access_token"]))))
    return RawRequest(method, target, tuple(headers), body)


def _json(here: Pieces, names: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    every = {value.decode() for values in here.common.values() for value in values} - {SECRET}
    real = st.sampled_from(sorted(every))
    value = leaf | real | st.lists(leaf, max_size=3) | st.dictionaries(st.text(max_size=5), leaf, max_size=2)
    keys = st.sampled_from(sorted({*names, *here.common}))
    return st.dictionaries(keys, value, max_size=8).map(lambda made: json.dumps(made).encode())
