"""Connections to directories, against OpenLDAP: trust, StartTLS, referrals, idle connections, paging."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.ldap.pool import LdapPool
from doorward.adapters.ldap.session import LdapSession
from doorward.adapters.ldap.target import DirectoryUnavailable, LdapTarget
from doorward.core.model.secret import Secret
from doorward.features.authn.directories.build import target_of
from tests.slapd import BASE, PASSWORD, PEOPLE, Slapd, person, slapd

pytestmark = pytest.mark.anyio
ANYBODY = "(objectClass=*)"
BOB = f"uid=bob,{PEOPLE}"


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    """A directory with Bob, and 1,200 others, that ends idle connections after a second."""
    others = "\n".join(person(f"p{number}") for number in range(1200))
    with slapd(tmp_path_factory.mktemp("corp"), idle=1, load=f"{person('bob')}\n{others}") as server:
        yield server


def _target(server: Slapd, **changes: Any) -> LdapTarget:
    return target_of(structs.replace(server.policy(), **changes), ca_file=None)


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
async def test_people_are_found_and_bound_over_tls(corp: Slapd, scheme: str) -> None:
    port = corp.port if scheme == "ldap" else corp.tls_port
    pool = LdapPool(_target(corp, urls=(f"{scheme}://127.0.0.1:{port}",)), name="corp")
    (bob,) = await pool.search(BASE, "(uid=bob)", ["uid", "entryUUID"], most=5)
    assert (bob.dn, bob.text("UID")) == (BOB, "bob")
    assert len(bob.text("entryuuid")) == 36
    assert (await pool.bind(BOB, Secret(PASSWORD))).code == 0
    assert (await pool.bind(BOB, Secret("wrong"))).code == 49
    # the service account's connection is another one, so that nobody searches as somebody else
    assert len(await pool.search(BASE, "(uid=bob)", ["uid"], most=5)) == 1
    pool.close()


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
@pytest.mark.parametrize("spoiled", ["authority", "name"])
def test_a_certificate_that_is_not_trusted_gets_no_password(corp: Slapd, scheme: str, spoiled: str) -> None:
    """ldap3 checks no certificate by default (Tls.validate is CERT_NONE)."""
    port = corp.port if scheme == "ldap" else corp.tls_port
    host = "localhost" if spoiled == "name" else "127.0.0.1"
    changes: dict[str, Any] = {"urls": (f"{scheme}://{host}:{port}",)}
    if spoiled == "authority":
        changes["ca_file"] = None
    session = LdapSession(_target(corp, **changes), as_service=True)
    with pytest.raises(DirectoryUnavailable, match="certificate"):
        session.search(BASE, ANYBODY, ["cn"], most=1)


class _Listening:
    """A server that keeps all that it is sent, and answers each message with `answer`; with `numbered` as the response to that message."""

    def __init__(self, answer: bytes, *, numbered: bool) -> None:
        self._numbered = numbered
        self.heard = b""
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                while data := peer.recv(65_536):
                    self.heard += data
                    peer.sendall(self._as_response(data) if self._numbered else self._answer)

    def _as_response(self, data: bytes) -> bytes:
        """An LDAPMessage with the id of a short request (RFC 4511 §4.1.1)."""
        message = data[2:5] + self._answer
        return b"\x30" + bytes([len(message)]) + message

    def close(self) -> None:
        self._socket.close()


@contextmanager
def _listening(answer: bytes, *, numbered: bool = False) -> Generator[_Listening]:
    server = _Listening(answer, numbered=numbered)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        # ExtendedResponse: protocolError (2), as of a server without TLS, and as of one in the middle
        bytes.fromhex("300c02010178070a010204000400"),
        # success, and then no TLS: the socket speaks LDAP on
        bytes.fromhex("300c02010178070a010004000400"),
        b"",
    ],
)
def test_a_failed_starttls_never_binds_in_clear(corp: Slapd, answer: bytes) -> None:
    """ldap3#385."""
    with _listening(answer) as server:
        target = _target(corp, urls=(f"ldap://127.0.0.1:{server.port}",), timeout=1)
        for session in (LdapSession(target, as_service=True), LdapSession(target, as_service=False)):
            with pytest.raises(DirectoryUnavailable):
                session.bind(BOB, Secret(PASSWORD))
        assert server.heard
        assert PASSWORD.encode() not in server.heard
        assert b"service password" not in server.heard


def test_a_referral_changes_nothing_and_the_other_server_never_sees_a_password(
    corp: Slapd, tmp_path: Path
) -> None:
    """galaxy_ng#1636; ldap3 by default follows referrals to any host, with the password."""
    with _listening(b"") as other:
        entry = f"dn: ou=away,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\nref: ldap://127.0.0.1:{other.port}/ou=away,{BASE}\n"
        with slapd(tmp_path, load=f"{person('bob')}\n{entry}") as server:
            session = LdapSession(_target(server), as_service=True)
            found = session.search(BASE, "(uid=bob)", ["uid"], most=5)
            assert [one.dn for one in found] == [BOB]
            people = LdapSession(_target(server), as_service=False)
            assert people.bind(f"uid=bob,ou=away,{BASE}", Secret(PASSWORD)).code != 0
            with pytest.raises(DirectoryUnavailable, match="referral"):
                session.search(f"ou=away,{BASE}", ANYBODY, ["uid"], most=5)
        # a bind that is answered with one: resultCode 10, and the other server's address
        url = f"ldap://127.0.0.1:{other.port}/".encode()
        told = b"\xa3" + bytes([len(url) + 2, 4, len(url)]) + url
        body = b"\x0a\x01\x0a\x04\x00\x04\x00" + told
        referral = b"\x61" + bytes([len(body)]) + body
        with _listening(referral, numbered=True) as server:
            plain = _target(corp, urls=(f"ldap://127.0.0.1:{server.port}",), starttls=False)
            with pytest.raises(DirectoryUnavailable):
                LdapSession(plain, as_service=False).bind(BOB, Secret(PASSWORD))
        assert other.heard == b""


async def test_an_idle_connection_reconnects_once(corp: Slapd) -> None:
    """authelia#23: the server ends connections that were idle, here after a second."""
    pool = LdapPool(_target(corp, connections=1), name="corp")
    for _ in range(2):
        assert (await pool.bind(BOB, Secret(PASSWORD))).code == 0
        assert len(await pool.search(BASE, "(uid=bob)", ["uid"], most=5)) == 1
        await asyncio.sleep(2.6)  # its timer looks every second
    assert (await pool.bind(BOB, Secret("wrong"))).code == 49
    pool.close()


def test_more_than_a_page_is_read_in_pages(corp: Slapd) -> None:
    session = LdapSession(_target(corp), as_service=True)
    everybody = session.search(BASE, "(objectClass=inetOrgPerson)", ["uid"], most=100_000)
    assert len({one.text("uid") for one in everybody}) == 1201
    assert len(session.search(BASE, "(objectClass=inetOrgPerson)", ["uid"], most=700)) == 700
    assert len(session.search(BASE, "(objectClass=inetOrgPerson)", ["uid"], most=3)) == 3


def test_a_wrong_service_account_is_named_without_its_password(corp: Slapd) -> None:
    session = LdapSession(_target(corp, bind_password=Secret("wrong secret")), as_service=True)
    with pytest.raises(DirectoryUnavailable, match="refused bind_dn: invalidCredentials") as problem:
        session.search(BASE, ANYBODY, ["cn"], most=1)
    assert "wrong secret" not in str(problem.value)
    assert "service password" not in repr(_target(corp))


def test_the_next_server_is_asked_when_the_first_is_away(corp: Slapd) -> None:
    urls = ("ldap://127.0.0.1:1", f"ldap://127.0.0.1:{corp.port}")
    session = LdapSession(_target(corp, urls=urls), as_service=False)
    assert session.bind(BOB, Secret(PASSWORD)).code == 0


def test_the_trust_is_that_of_the_machine_and_of_the_section(corp: Slapd) -> None:
    trust = _target(corp).context
    assert trust is not None
    assert trust.verify_mode == ssl.CERT_REQUIRED
    assert trust.check_hostname
