"""One LDAP connection by ldap3, used by one thread. The unsafe defaults of the library are changed here and nowhere else."""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, final

from ldap3 import (
    ANONYMOUS,
    BASE,
    DEREF_NEVER,
    NONE,
    SIMPLE,
    SUBTREE,
    SYNC,
    Connection,
    Server,
    Tls,
)
from ldap3.core.exceptions import (
    LDAPException,
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
)
from pyasn1.error import PyAsn1Error

from doorward.adapters.ldap.target import DirectoryUnavailable, LdapTarget
from doorward.core.model.directory import BindAnswer, LdapEntry
from doorward.core.model.secret import Secret

PASSWORD_POLICY: Final = "1.3.6.1.4.1.42.2.27.8.5.1"
PAGE: Final = 500
"""Entries of one page of a search (RFC 2696)."""
FEW: Final = 50
"""Searches for no more entries are not paged."""
_PAGED: Final = "1.2.840.113556.1.4.319"
_SUCCESS, _SIZE_LIMIT, _REFERRAL, _NO_SUCH_OBJECT = 0, 4, 10, 32


@final
class _VerifiedTls(Tls):
    """TLS with certificate and host name checked by OpenSSL. The library by itself checks neither (`validate` is CERT_NONE), and compares
    host names in Python."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)  # pyright: ignore[reportUnknownMemberType]
        self._verified = context

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Wrap the socket, and finish the handshake before anything else is sent."""
        del do_handshake
        connection.socket = self._verified.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=True
        )


@final
class LdapSession:
    """Opened on first use. A connection that was used before and has died is opened anew once; a fresh one that fails means
    `DirectoryUnavailable`."""

    def __init__(self, target: LdapTarget, *, as_service: bool) -> None:
        self._target = target
        self._as_service = as_service
        self._connection: Any = None
        self._used = False

    def close(self) -> None:
        """Close the connection; nothing is said about one that is dead."""
        connection, self._connection, self._used = self._connection, None, False
        if connection is not None:
            with suppress(Exception):
                connection.strategy.close()

    def bind(self, dn: str, password: Secret) -> BindAnswer:
        """Bind as a person. An empty password never gets here as a question: it would be an unauthenticated bind, which succeeds
        (RFC 4513 §5.1.2). Nothing else is done on this connection. Raises `DirectoryUnavailable`."""
        secret = password.reveal().encode()
        if not dn or not secret or b"\0" in secret:
            raise ValueError("a bind needs a name and a password")

        def work(connection: Any) -> BindAnswer:
            connection.user, connection.password, connection.authentication = dn, secret, SIMPLE
            try:
                connection.bind(read_server_info=False, controls=[(PASSWORD_POLICY, False, None)])
            finally:
                # the library keeps both for reconnecting, which is not its business here
                connection.user, connection.password, connection.authentication = None, None, ANONYMOUS
                connection.request = None
            result = connection.result
            if result["result"] == _REFERRAL:
                raise DirectoryUnavailable("it answered a bind with a referral, which is not followed")
            policy = _control(result, PASSWORD_POLICY)
            return BindAnswer(
                int(result["result"]),
                str(result["message"] or ""),
                bytes(policy) if isinstance(policy, bytes | bytearray) else None,
            )

        return self._tried(work)

    def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        most: int,
        only_base: bool = False,
        whole: bool = False,
    ) -> list[LdapEntry]:
        """At most `most` entries under `base`. References to other servers are left out. Raises `DirectoryUnavailable`, and with `whole`
        also for an answer that the server cut."""

        def work(connection: Any) -> list[LdapEntry]:
            found = self._found(connection, base, query, attributes, most, only_base=only_base, whole=whole)
            return list(found)

        return self._tried(work)

    def _found(
        self,
        connection: Any,
        base: str,
        query: str,
        attributes: Sequence[str],
        most: int,
        *,
        only_base: bool,
        whole: bool,
    ) -> Iterator[LdapEntry]:
        cookie: Any = None
        left = most
        good = {_SUCCESS, _NO_SUCH_OBJECT} if whole else {_SUCCESS, _NO_SUCH_OBJECT, _SIZE_LIMIT}
        while left > 0:
            connection.search(
                base,
                query,
                search_scope=BASE if only_base else SUBTREE,
                dereference_aliases=DEREF_NEVER,
                attributes=list(attributes),
                # a page of everything that is wanted needs no second one
                paged_size=None if only_base or most <= FEW else min(PAGE, left),
                paged_cookie=cookie,
                size_limit=most if most <= FEW else 0,
                time_limit=self._target.timeout,
            )
            result = connection.result
            for one in connection.response or ():
                if one["type"] == "searchResEntry" and left > 0:
                    left -= 1
                    yield _entry(one)
            if result["result"] not in good:
                raise DirectoryUnavailable(f"it refused a search: {result['description']}")
            paged = _control(result, _PAGED)
            cookie = paged["cookie"] if paged else None
            if not cookie:
                return

    def _tried(self, work: Any) -> Any:
        for _ in range(2):
            again = self._used
            try:
                connection = self._opened()
                self._used = True
                return work(connection)
            except DirectoryUnavailable:
                self.close()
                raise
            except (
                LDAPException,
                PyAsn1Error,
                OSError,
                KeyError,
                IndexError,
                TypeError,
                ValueError,
            ) as problem:
                self.close()
                if not again or not _lost(problem):
                    raise DirectoryUnavailable(_why(problem)) from None
        raise DirectoryUnavailable("it ended two connections")

    def _opened(self) -> Any:
        if self._connection is not None and _ended(self._connection):
            # a server ends idle connections: nothing was sent on this one yet, so the next one is no second try
            self.close()
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Any:
        problems: list[str] = []
        began = monotonic()
        for host, port, tls in self._target.hosts():
            if problems and monotonic() - began > self._target.timeout:
                break
            try:
                return self._open_one(host, port, tls=tls)
            except DirectoryUnavailable as problem:
                problems.append(f"{host}:{port}: {problem}")
            except (LDAPException, PyAsn1Error, OSError, TypeError, ValueError) as problem:
                problems.append(f"{host}:{port}: {_why(problem)}")
        raise DirectoryUnavailable("; ".join(problems))

    def _open_one(self, host: str, port: int, *, tls: bool) -> Any:
        target = self._target
        if (tls or target.starttls) and target.context is None:
            raise DirectoryUnavailable("TLS is asked for, and there is no trust for it")
        server = Server(
            host,
            port=port,
            use_ssl=tls,
            tls=None if target.context is None else _VerifiedTls(target.context),
            get_info=NONE,
            connect_timeout=target.connect_timeout,
            allowed_referral_hosts=[],
        )
        connection: Any = Connection(
            server,
            client_strategy=SYNC,
            authentication=ANONYMOUS,
            auto_bind="NONE",
            auto_referrals=False,
            auto_range=True,
            check_names=False,
            read_only=True,
            raise_exceptions=False,
            receive_timeout=target.timeout,
        )
        try:
            connection.open(read_server_info=False)
            if target.starttls and not tls and not connection.start_tls(read_server_info=False):
                raise DirectoryUnavailable("StartTLS failed, and nothing is sent in clear")
            if self._as_service and target.bind_dn is not None:
                self._bind_service(connection)
        except BaseException:
            with suppress(Exception):
                connection.strategy.close()
            raise
        return connection

    def _bind_service(self, connection: Any) -> None:
        secret = self._target.bind_password
        if secret is None or not secret.reveal():
            raise DirectoryUnavailable("bind_dn has no password")
        connection.user, connection.password = self._target.bind_dn, secret.reveal().encode()
        connection.authentication = SIMPLE
        try:
            connection.bind(read_server_info=False)
        finally:
            connection.user, connection.password, connection.authentication = None, None, ANONYMOUS
        if connection.result["result"] != _SUCCESS:
            raise DirectoryUnavailable(f"it refused bind_dn: {connection.result['description']}")


def _entry(found: Any) -> LdapEntry:
    values: dict[str, Sequence[bytes]] = {
        name.partition(";")[0].lower(): [bytes(value) for value in held]
        for name, held in found["raw_attributes"].items()
    }
    return LdapEntry(str(found["dn"]), values)


def _control(result: Any, oid: str) -> Any:
    """The value of a response control, None without it."""
    controls: dict[str, Any] = result.get("controls") or {}
    found: Any = controls.get(oid)
    return None if found is None else found["value"]


def _ended(connection: Any) -> bool:
    """Whether the server has ended the idle connection: between two questions it says nothing else."""
    if connection.closed or connection.socket is None:
        return True
    try:
        readable, _, _ = select.select([connection.socket], [], [], 0)
    except (OSError, ValueError):
        return True
    return bool(readable)


def _lost(problem: BaseException) -> bool:
    """Whether the connection was gone. A server that is slow, or answers what cannot be read, may have counted a wrong password."""
    gone = (
        LDAPSocketOpenError,
        LDAPSocketSendError,
        LDAPSocketReceiveError,
        LDAPSessionTerminatedByServerError,
    )
    return isinstance(problem, gone) and "timed out" not in str(problem)


def _why(problem: BaseException) -> str:
    """The reason in words that hold nothing of the other side's but a reason of TLS or of the machine."""
    text = str(problem)
    if "certificate verify failed" in text or "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted (a private authority is named in ca_file)"
    if "match" in text and "hostname" in text.lower():
        return "its certificate is for another name"
    for known, said in (
        ("timed out", "it did not answer in time"),
        ("refused", "connection refused"),
        ("Name or service not known", "its name is not known"),
        ("startTLS failed", "StartTLS failed, and nothing is sent in clear"),
        ("wrap socket error", "TLS failed"),
        ("session terminated", "it ended the connection"),
    ):
        if known in text:
            return said
    return type(problem).__name__
