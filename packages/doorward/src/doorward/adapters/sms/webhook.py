"""Generic SMS gateway: one signed JSON request a message, to an address of the operator's.

The signature is over time and body (`X-Doorward-Signature: t=<seconds>,v1=<HMAC-SHA-256 in hex>`), in both directions.
"""

from __future__ import annotations

import hmac
import re
import ssl
from collections.abc import Mapping
from typing import Final, Literal, final

import msgspec
from msgspec import Struct

from doorward.adapters.http_client import CallFailed, GuardedHttp, answered
from doorward.adapters.outgoing_address import any_host
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.message_channel import (
    MessageAccepted,
    MessageDelayed,
    MessageRefused,
    Report,
    Unsigned,
)

SIGNATURE: Final = "x-doorward-signature"
_HEADER: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
TOLERANCE: Final = 300
"""Seconds by which the time of a report may differ from ours."""


class _Message(Struct, frozen=True):
    id: str
    to: str
    text: str


class _Report(Struct, frozen=True):
    id: str
    status: Literal["delivered", "failed"]
    reason: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Report).decode


@final
class WebhookChannel:
    """`MessageChannel` for a gateway of one's own, or a small program in front of any other."""

    name = "webhook"

    def __init__(
        self,
        *,
        url: str,
        token: Secret,
        clock: Clock,
        timeout: float = 10,
        development: bool = False,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._token = token
        self._clock = clock
        self._http = GuardedHttp(
            timeout=timeout, development=development, context=context, may_be_private=any_host
        )

    async def send(
        self, to: str, text: str, *, message_id: str
    ) -> MessageAccepted | MessageRefused | MessageDelayed:
        """Only the status counts: 2xx is accepted; 401, 403, 408, 429, 5xx and redirects are tried again, since an operator
        or time can mend them; any other is final."""
        body = _encode(_Message(id=message_id, to=to, text=text))
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self._token.reveal()}",
            SIGNATURE: sign(self._token, self._clock.now(), body),
        }
        try:
            answer = await self._http.post(self._url, content=body, headers=headers)
        except CallFailed as failed:
            return MessageDelayed(f"the gateway: {failed}")
        if 200 <= answer.status < 300:
            return MessageAccepted(message_id)
        if answer.status in {401, 403, 408, 429} or not 400 <= answer.status < 500:
            return MessageDelayed(f"the gateway: {answered(answer.status)}")
        return MessageRefused(f"the gateway: {answered(answer.status)}")

    def report(self, headers: Mapping[str, str], body: bytes, now: int) -> Report | Unsigned | None:
        """A report is `{"id", "status": "delivered" | "failed", "reason"}`, signed as our requests are. The reason is not
        kept: it is the gateway's text, and may contain the number."""
        at = signed_at(self._token, headers.get(SIGNATURE, ""), body)
        if at is None or abs(now - at) > TOLERANCE:
            return Unsigned()
        try:
            told = _decode(body)
        except msgspec.DecodeError:
            return None
        return Report(
            told.id, None if told.status == "delivered" else "the gateway reports that it was not delivered"
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


def sign(token: Secret, at: int, body: bytes) -> str:
    """The value of the signature header."""
    return f"t={at},v1={_mac(token, at, body)}"


def signed_at(token: Secret, header: str, body: bytes) -> int | None:
    """The time in a signature header; None when the signature is wrong."""
    found = _HEADER.fullmatch(header)
    if found is None:
        return None
    at = int(found[1])
    return at if hmac.compare_digest(_mac(token, at, body), found[2]) else None


def _mac(token: Secret, at: int, body: bytes) -> str:
    return hmac.new(token.reveal().encode(), b"%d.%b" % (at, body), "sha256").hexdigest()
