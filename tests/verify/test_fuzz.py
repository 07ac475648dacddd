"""Fuzzing: hostile input always ends in acceptance or a documented refusal."""

import contextlib
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward_verify.auth_error import AuthError
from doorward_verify.challenges import challenge
from doorward_verify.cookie import RequestCredentials, presented
from doorward_verify.jwk import InvalidKey, parse_private, parse_public
from doorward_verify.keyset import parse_jwks
from doorward_verify.metadata import InvalidMetadata, check_url, parse_metadata
from doorward_verify.resource_server import ResourceServer
from doorward_verify.revocation import InvalidFeed, parse_feed
from tests.verify.tokens import (
    AUDIENCE,
    EVERY_KEY,
    ISSUER,
    NOW,
    P256,
    claims,
    good,
    header,
    raw,
    verifier,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "alg",
        "kid",
        "typ",
        "crit",
        "enc",
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "cnf",
        "roles",
        "permissions",
        "amr",
        "acr",
        "sid",
        "auth_time",
        "status",
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
        "d",
        "use",
    ]
)
OBJECTS = st.dictionaries(MEMBERS | st.text(max_size=4), JSON, max_size=5)
JUDGE = verifier()


def encoded(members: Any) -> bytes:
    return msgspec.json.encode(members)


@settings(max_examples=500)
@given(st.text(max_size=60) | st.binary(max_size=60) | JSON)
def test_anything_as_a_token(token: Any) -> None:
    assert isinstance(JUDGE.verify(token, NOW), AuthError)


@settings(max_examples=200)
@given(OBJECTS, OBJECTS)
def test_any_header_and_any_payload_under_a_good_signature(
    head: dict[str, Any], body: dict[str, Any]
) -> None:
    JUDGE.verify(raw(encoded(head), encoded(body)), NOW)
    JUDGE.verify(raw(header(), encoded({**claims(), **body})), NOW)
    JUDGE.verify(raw(encoded({**header(), **head}), encoded(claims())), NOW)


@settings(max_examples=500)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_under_a_good_signature(head: bytes, body: bytes) -> None:
    JUDGE.verify(raw(head, body), NOW)
    assert isinstance(JUDGE.verify(raw(header(), body), NOW), AuthError)


@given(st.sampled_from(EVERY_KEY), st.binary(max_size=300))
def test_any_signature(key: Any, signature: bytes) -> None:
    from doorward_verify.encoding import b64url_encode

    said = good(key).rpartition(".")[0]
    assert isinstance(JUDGE.verify(f"{said}.{b64url_encode(signature)}", NOW), AuthError)


@settings(max_examples=300)
@given(OBJECTS | st.sampled_from([key.private_jwk() for key in EVERY_KEY]), OBJECTS)
def test_any_jwk(jwk: dict[str, Any], change: dict[str, Any]) -> None:
    for parse in (parse_public, parse_private):
        with contextlib.suppress(InvalidKey):
            parse({**jwk, **change})


@settings(max_examples=300)
@given(
    st.binary(max_size=60)
    | JSON.map(encoded)
    | st.lists(OBJECTS, max_size=3).map(lambda keys: encoded({"keys": keys}))
)
def test_any_document(document: bytes) -> None:
    with contextlib.suppress(InvalidKey):
        parse_jwks(ISSUER, document)
    with contextlib.suppress(InvalidMetadata):
        parse_metadata(ISSUER, document)
    with contextlib.suppress(InvalidFeed):
        parse_feed(document)


ENTRIES = st.lists(
    st.dictionaries(
        st.sampled_from(["kind", "id", "exp", "before", "x"]), JSON | st.sampled_from(["jti", "sub"])
    ),
    max_size=3,
)


@settings(max_examples=300)
@given(st.text(max_size=3) | JSON, st.booleans() | JSON, ENTRIES | JSON)
def test_any_feed(cursor: Any, reset: Any, entries: Any) -> None:
    with contextlib.suppress(InvalidFeed):
        parse_feed(encoded({"cursor": cursor, "reset": reset, "entries": entries}))


@given(
    st.text(max_size=40)
    | st.sampled_from(["http://[", "https://a:b@c", "https://x:99999", "https://\n", "http://127.1"])
)
def test_any_url(url: str) -> None:
    with contextlib.suppress(InvalidMetadata):
        check_url(url)


HEADERS = st.lists(st.text(max_size=30) | st.text(max_size=10).map(lambda t: f"Bearer {t}"), max_size=2).map(
    tuple
)


@settings(max_examples=300)
@given(
    st.text(max_size=8),
    st.text(max_size=20),
    HEADERS,
    HEADERS,
    st.none() | st.text(max_size=20),
    st.none() | st.text(),
)
def test_any_request(
    method: str,
    own: str,
    authorization: tuple[str, ...],
    cookies: tuple[str, ...],
    origin: str | None,
    csrf: str | None,
) -> None:
    asked = RequestCredentials(method, own, authorization, (*cookies, "__Host-dw_at=abc"), origin, csrf)
    try:
        presented(asked, names=("__Host-dw_x_at", "__Host-dw_at"), origins=frozenset({"https://a.example"}))
    except AuthError as refused:
        answer = challenge(refused, "https://api.example.com/x")
        assert 400 <= answer.status <= 503
        assert all(
            "\n" not in value and "\r" not in value and value.isascii() for value in answer.headers.values()
        )


@given(st.text(max_size=60) | st.binary(max_size=20) | JSON)
def test_the_resource_server_raises_nothing_but_refused(token: Any) -> None:
    server = ResourceServer(ISSUER, AUDIENCE, jwks={"keys": [P256.public_jwk()]})
    with contextlib.suppress(AuthError):
        server.verify(token, now=NOW)
