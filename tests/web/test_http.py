"""Tests that a request has exactly one reading, and that no response can be split."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.web.http import (
    MAX_BODY,
    BadForm,
    BodyTooLarge,
    ClientGone,
    Request,
    Response,
    json_response,
    parse_form,
    read_body,
    redirect,
    send_response,
)
from doorward.web.route import machine

pytestmark = pytest.mark.anyio
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def request(
    body: bytes = b"", *, headers: list[tuple[bytes, bytes]] | None = None, query: bytes = b""
) -> Request:
    """A request with this body."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "query_string": query,
        "headers": [FORM] if headers is None else headers,
        "client": ("192.0.2.1", 1),
    }
    return Request(scope, body)


async def received(*chunks: bytes | None) -> bytes:
    """The body that comes in these chunks; None is where the client disconnects."""
    messages: list[dict[str, Any]] = [
        {"type": "http.disconnect"}
        if chunk is None
        else {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return await read_body(receive)


def test_a_form_is_read_as_browsers_write_it() -> None:
    assert parse_form("") == {}
    assert parse_form("a=1&b=&c&=x&&d=a+b%2B%20%C3%A9%0A&e=é") == {
        "a": "1", "b": "", "c": "", "": "x", "d": "a b+ é\n", "e": "é",
    }  # fmt: skip


@pytest.mark.requirement(9)
@pytest.mark.parametrize("raw", ["a=1&a=1", "a=1&b=2&a=3", "a&a", "a=1&%61=2", "a+b=1&a%20b=2", "=1&=2"])
def test_a_parameter_given_twice_is_refused(raw: str) -> None:
    with pytest.raises(BadForm, match="more than once"):
        parse_form(raw)


@pytest.mark.parametrize("raw", ["a=%00", "%00=1", "a=\x00", "a=%FF", "a=%C3", "a=%ED%A0%80", "%FF=1"])
def test_characters_that_no_database_column_accepts_are_refused(raw: str) -> None:
    with pytest.raises(BadForm):
        parse_form(raw)


def test_too_many_parameters_are_refused() -> None:
    assert len(parse_form("&".join(f"a{n}=1" for n in range(200)))) == 200
    with pytest.raises(BadForm):
        parse_form("&".join(f"a{n}=1" for n in range(201)))
    with pytest.raises(BadForm):
        parse_form("&" * 60_000)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
        st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
        max_size=8,
    )
)
def test_a_written_form_reads_back_the_same(form: dict[str, str]) -> None:
    assert parse_form(urlencode(form)) == form


@given(st.text())
def test_bad_input_raises_only_bad_form(raw: str) -> None:
    try:
        parse_form(raw)
    except BadForm:
        return


async def test_a_body_in_pieces_is_read_to_its_end() -> None:
    assert await received(b"a=1", b"&b=", b"2") == b"a=1&b=2"
    assert await received(b"a=1") == b"a=1"
    assert await request(b"a=1&b=2").form() == {"a": "1", "b": "2"}
    for chunks in ((None,), (b"a", None), (b"a", b"b", None)):
        with pytest.raises(ClientGone):
            await received(*chunks)


async def test_the_size_of_a_body_is_limited_in_every_encoding() -> None:
    big = b"x" * (MAX_BODY + 1)
    for chunks in ((big,), (b"x", big), [b"x" * 1000] * 100, (big * 10,)):
        body = await received(*chunks)
        assert len(body) == MAX_BODY + 1
        with pytest.raises(BodyTooLarge):
            await request(body).form()
    assert len(await request(b"x" * MAX_BODY).body()) == MAX_BODY
    assert len(await received(b"x" * (MAX_BODY - 1), b"y")) == MAX_BODY


@pytest.mark.parametrize(
    "kind",
    [
        None,
        b"",
        b"application/json",
        b"multipart/form-data; boundary=x",
        b"text/plain",
        b"application/x-www-form-urlencodedx",
    ],
)
async def test_a_body_of_another_type_is_no_form(kind: bytes | None) -> None:
    headers = [] if kind is None else [(b"content-type", kind)]
    with pytest.raises(BadForm):
        await request(b"a=1", headers=headers).form()


async def test_the_form_type_may_be_in_any_case_and_with_a_charset() -> None:
    kind = [(b"content-type", b"Application/X-WWW-Form-Urlencoded; charset=UTF-8")]
    assert await request(b"a=1", headers=kind).form() == {"a": "1"}


async def test_a_body_or_query_that_is_not_text_is_refused() -> None:
    with pytest.raises(BadForm):
        await request(b"a=\xff").form()
    with pytest.raises(BadForm):
        request(query=b"a=\xff").query()
    assert request(query=b"a=%C3%A9").query() == {"a": "é"}


@pytest.mark.requirement(9)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b"\xff", b'{"a":' * 9000]
)
async def test_a_json_body_must_be_one_object_with_each_member_once(body: bytes) -> None:
    with pytest.raises(BadForm):
        await request(body).json_object()


async def test_a_json_body_is_read() -> None:
    assert await request(b'{"a": 1, "b": {"c": null}}').json_object() == {"a": 1, "b": {"c": None}}


@pytest.mark.requirement(69)
def test_the_first_cookie_of_a_name_is_used() -> None:
    lines = [(b"cookie", b"a=1; b=x=y;c; a=2; =z"), (b"cookie", b"a=3; d=\xff")]
    assert request(headers=lines).cookies() == {"a": "1", "b": "x=y", "": "z", "d": "ÿ"}
    assert request(headers=[]).cookies() == {}


def test_headers_are_read() -> None:
    asked = request(headers=[(b"x-a", b"1"), (b"x-a", b"2")])
    assert asked.header(b"x-a") == "1"
    assert asked.headers(b"x-a") == ["1", "2"]
    assert asked.header(b"x-b") is None


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=y", "a\n", "\r", "a\rb"])
def test_no_header_can_be_split(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        Response(200).add("location", value)
    with pytest.raises(ValueError, match="line break"):
        redirect(value)


@pytest.mark.requirement(10)
def test_a_redirect_never_repeats_a_post() -> None:
    response = redirect("/x")
    assert response.status == 303
    assert (b"cache-control", b"no-store") in response.headers


@pytest.mark.requirement(25)
def test_json_is_not_stored_unless_the_handler_allows_it() -> None:
    assert (b"cache-control", b"no-store") in json_response({}).headers
    assert json_response({}, 200, [(b"content-type", b"application/json")]).headers == [
        (b"content-type", b"application/json")
    ]


async def test_a_head_gets_the_headers_of_the_get() -> None:
    async def handler(_: Request) -> Response:
        return Response(200, body=b"four")

    assert machine("/x", "GET", handler).methods == {"GET", "HEAD"}
    assert machine("/x", "POST", handler).methods == {"POST"}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await send_response(Response(200, body=b"four"), send, head=True)
    assert sent[0]["headers"] == [(b"content-length", b"4")]
    assert sent[1]["body"] == b""
