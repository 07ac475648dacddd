"""Snapshots of the feed at a verifier: what it accepts, and what it does with one that it cannot use."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_encode
from doorward_verify.jws import sign
from doorward_verify.resource_server import ResourceServer
from doorward_verify.revocation import SNAPSHOT_TYP, InvalidFeed, hidden, id_hash
from doorward_verify.revoked_table import merged, packed
from doorward_verify.snapshot import read_snapshot
from tests.verify.issuer import Issuer, new_key, reason
from tests.verify.tokens import ISSUER, KEYS, NOW, P256
from tests.waiting import until

SALT = "a-salt-of-today"
Serve = Callable[..., ResourceServer]


def records(*sids: str, exp: int = NOW + 300) -> bytearray:
    news = {id_hash(SALT, "sid", sid): packed(None, exp) for sid in sids}
    return bytearray(merged((), news, 0).records)


def said(body: bytes | bytearray, **others: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "iat": NOW,
        "exp": NOW + 900,
        "salt": SALT,
        "cursor": f"{SALT}.7",
        "part": "all",
        "kinds": ["sid"],
        "count": len(body) // 24,
        "sha256": b64url_encode(sha256(body).digest()),
        **others,
    }


def file(body: bytes | bytearray, *, typ: str = SNAPSHOT_TYP, key: Any = P256, **others: Any) -> bytearray:
    return bytearray(
        body + b"\n" + sign(msgspec.json.encode(said(body, **others)), key, typ=typ).encode("ascii")
    )


def test_a_signed_snapshot_is_read_without_a_copy() -> None:
    given = file(records("ses_1", "ses_2"))
    found = read_snapshot(given, KEYS, part="all", salt=SALT, now=NOW)
    assert (len(found.table), found.place, tuple(found.kinds)) == (2, 7, ("sid",))
    assert found.table.records is given
    assert found.table.before(id_hash(SALT, "sid", "ses_2")) > 0
    assert len(read_snapshot(file(b""), KEYS, part="all", salt=SALT, now=NOW).table) == 0


@pytest.mark.requirement(58)
@pytest.mark.parametrize(
    "others",
    [
        {"iss": "https://other.example.com"},
        {"part": "0123456789abcdef0123456789abcdef"},
        {"salt": "the-salt-of-yesterday"},
        {"exp": NOW - 60},
        {"exp": "later"},
        {"cursor": "the-salt-of-yesterday.7"},
        {"cursor": f"{SALT}.-7"},
        {"cursor": f"{SALT}.²"},
        {"count": 3},
        {"sha256": b64url_encode(sha256(b"other").digest())},
        {"kinds": ["sid", "device"]},
        {"kinds": None},
    ],
    ids=str,
)
def test_another_snapshot_than_was_asked_for_is_refused(others: dict[str, Any]) -> None:
    """By a host in between: one of another API, of another day, or an old one that lacks what was revoked since."""
    with pytest.raises(InvalidFeed):
        read_snapshot(file(records("ses_1", "ses_2"), **others), KEYS, part="all", salt=SALT, now=NOW)


@pytest.mark.requirement(39, 58)
def test_a_snapshot_needs_the_issuers_signature_of_its_own_type() -> None:
    body = records("ses_1")
    for bad in (file(body, key=new_key("p256")), file(body, typ="at+jwt"), file(body, key=new_key("none"))):
        with pytest.raises(AuthError):
            read_snapshot(bad, KEYS, part="all", salt=SALT, now=NOW)


@pytest.mark.parametrize("place", [0, 30, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    given = file(records("ses_1", "ses_2"))
    given[place] ^= 1
    with pytest.raises((InvalidFeed, AuthError)):
        read_snapshot(given, KEYS, part="all", salt=SALT, now=NOW)


@pytest.mark.parametrize("cut", [1, 100, 300, 10_000])
def test_a_cut_file_is_noticed(cut: int) -> None:
    given = file(records("ses_1", "ses_2"))
    with pytest.raises((InvalidFeed, AuthError)):
        read_snapshot(given[cut:], KEYS, part="all", salt=SALT, now=NOW)
    with pytest.raises((InvalidFeed, AuthError)):
        read_snapshot(given[:-cut], KEYS, part="all", salt=SALT, now=NOW)


def test_signed_records_that_are_not_sorted_are_refused() -> None:
    body = records("ses_1", "ses_2", "ses_3")
    with pytest.raises(InvalidFeed, match="sorted"):
        read_snapshot(file(body[48:] + body[:48]), KEYS, part="all", salt=SALT, now=NOW)


class Begins:
    """An issuer whose feed begins with a snapshot of `ses_1` and goes on with `ses_2`."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.until = int(time.time()) + 3600
        self.file = self.made()
        self.asked: list[dict[str, list[str]]] = []
        issuer.on_feed = self.feed
        issuer.override["/revocations/snapshots/x.0.1.all"] = lambda: (200, {}, self.file)

    def made(self, *, key: Any = None, **others: Any) -> bytes:
        body = bytes(records("ses_1", exp=self.until))
        whole = said(body, iss=self.issuer.url, exp=self.until, **others)
        token = sign(msgspec.json.encode(whole), key or self.issuer.keys[0], typ=SNAPSHOT_TYP)
        return body + b"\n" + token.encode("ascii")

    def feed(self, query: dict[str, list[str]]) -> bytes:
        self.asked.append(query)
        place = query.get("after", ["x.0"])[0].rpartition(".")[2]
        second = {"kind": "sid", "id": hidden(SALT, "sid", "ses_2"), "exp": self.until}
        answer: dict[str, Any] = {"reset": "after" not in query, "salt": SALT, "more": False, "entries": []}
        if "after" not in query and query.get("snapshots") == ["1"]:
            answer["snapshots"] = [f"{self.issuer.url}/revocations/snapshots/x.0.1.all"]
            answer["more"] = True
        elif "after" not in query:
            first = {"kind": "sid", "id": hidden(SALT, "sid", "ses_1"), "exp": self.until}
            answer["entries"] = [first, second]
        elif place == "7":
            answer["entries"] = [second]
        else:
            time.sleep(0.2)
        return msgspec.json.encode({"cursor": f"{SALT}.{8 if 'snapshots' not in answer else 7}", **answer})


@pytest.fixture
def begins(issuer: Issuer) -> Begins:
    return Begins(issuer)


def refuses(server: ResourceServer, issuer: Issuer) -> list[str]:
    return [reason(server, issuer.token(sid=f"ses_{number}")) for number in (1, 2, 3)]


@pytest.mark.requirement(58)
def test_a_verifier_begins_with_the_snapshot_and_the_tail(
    begins: Begins, issuer: Issuer, serve: Serve
) -> None:
    assert refuses(serve(), issuer) == ["revoked", "revoked", "good"]
    first, second = begins.asked[:2]
    assert first["audience"] == [begins.issuer.claims()["aud"]]
    assert second["after"] == [f"{SALT}.7"]
    # a view that is not complete does not wait for news
    assert "wait" not in second
    assert issuer.count("/revocations/snapshots/x.0.1.all") == 1


@pytest.mark.requirement(58)
@pytest.mark.parametrize("fault", ["gone", "forged", "old", "empty", "unsigned"])
def test_without_a_usable_snapshot_the_view_is_read_in_pages(
    begins: Begins, issuer: Issuer, serve: Serve, fault: str
) -> None:
    path = "/revocations/snapshots/x.0.1.all"
    match fault:
        case "gone":
            issuer.override[path] = lambda: (404, {}, b"{}")
        case "forged":
            begins.file = begins.made(key=new_key("one"))
        case "old":
            begins.file = begins.made(iat=NOW)[:-20]
        case "empty":
            begins.file = b""
        case _:
            begins.file = b"no line break"
    assert refuses(serve(), issuer) == ["revoked", "revoked", "good"]
    assert [("snapshots" in one, "after" in one) for one in begins.asked[:2]] == [
        (True, False),
        (False, False),
    ]


@pytest.mark.requirement(58)
def test_a_snapshot_signed_with_a_new_key_is_used(begins: Begins, issuer: Issuer, serve: Serve) -> None:
    server = serve()
    assert reason(server, issuer.token()) == "revoked"
    new = new_key("two")
    issuer.keys.append(new)
    begins.file = begins.made(key=new)
    other = serve()
    assert refuses(other, issuer) == ["revoked", "revoked", "good"]
    assert issuer.count("/revocations/snapshots/x.0.1.all") == 2


def test_a_feed_that_begins_with_snapshots_again_and_again_ends_in_pages(
    begins: Begins, issuer: Issuer, serve: Serve
) -> None:
    """A cache that keeps the file of a database that is gone: its position is foreign each time."""
    answer = begins.feed
    issuer.on_feed = lambda query: answer({name: value for name, value in query.items() if name != "after"})
    server = serve()
    until(lambda: reason(server, issuer.token()) == "revoked")
    assert issuer.count("/revocations/snapshots/x.0.1.all") == 1
