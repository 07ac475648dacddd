"""Check of one answer before its kind is counted by the thousand: it shows that the server did the work."""

import base64
import http.client
from typing import Any

import msgspec


class NotTheWork(Exception):
    """The answer is not the one that the benchmark counts. The message says what it was."""


def exchange(port: int, request: bytes) -> tuple[int, bytes]:
    """Send the raw bytes of one request to the loopback address. Returns status and body of the answer."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for line in lines:
            name, _, value = line.partition(": ")
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check_token_answer(
    port: int, request: bytes, *, refresh: bool, id_token: str | None = None
) -> dict[str, Any]:
    """Send one token request and check its answer: status 200, an ES256 JWT as access token, a refresh token
    or none, and an ID token of the algorithm `id_token`, or none.

    Returns the members of the answer. Raises NotTheWork.
    """
    status, body = exchange(port, request)
    if status != 200:
        raise NotTheWork(f"the token endpoint answered {status}: {body[:300].decode(errors='replace')}")
    members = msgspec.json.decode(body, type=dict[str, Any])
    _check_signed(members, "access_token", "ES256")
    if ("refresh_token" in members) != refresh:
        raise NotTheWork(f"a refresh token was {'expected' if refresh else 'not expected'} in the answer")
    if id_token is not None:
        _check_signed(members, "id_token", id_token)
    elif "id_token" in members:
        raise NotTheWork("the answer carries an ID token, which the other side does not sign")
    return members


def _check_signed(members: dict[str, Any], name: str, algorithm: str) -> None:
    token = str(members.get(name, ""))
    if token.count(".") != 2:
        raise NotTheWork(f"{name} is not a JWT")
    head = token.split(".", maxsplit=1)[0]
    header = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=dict[str, Any])
    if header.get("alg") != algorithm:
        raise NotTheWork(f"{name} is signed with {header.get('alg')}, not {algorithm}")
