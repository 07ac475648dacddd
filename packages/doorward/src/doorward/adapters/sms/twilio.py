"""SMS gateway with Twilio's interface: a form with basic authentication, and reports signed with HMAC-SHA-1."""

from __future__ import annotations

import base64
import hmac
import ssl
from collections.abc import Mapping
from typing import Final, final
from urllib.parse import parse_qsl, quote

import msgspec
from msgspec import Struct

from doorward.adapters.http_client import CallFailed, GuardedAnswer, GuardedHttp, answered
from doorward.adapters.outgoing_address import any_host
from doorward.core.model.secret import Secret
from doorward.core.ports.message_channel import (
    MessageAccepted,
    MessageDelayed,
    MessageRefused,
    Report,
    Unsigned,
)

DEFAULT_URL: Final = "https://api.twilio.com"
SIGNATURE: Final = "x-twilio-signature"
_SERVICE: Final = "MG"
"""What the id of a messaging service begins with; any other sender is a number or a name."""
_NUMBER_REFUSED: Final = {
    21211: "the number is not valid",
    21408: "the gateway's account may not send to this country",
    21610: "the person has answered STOP to earlier messages",
    21614: "the number cannot receive messages",
}
_TOO_MANY: Final = 20429
_SENT: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"undelivered", "failed", "canceled"})


class _Created(Struct, frozen=True):
    sid: str


class _Problem(Struct, frozen=True):
    code: int | None = None


@final
class TwilioChannel:
    """`MessageChannel` for Twilio, and for gateways with the same interface at another `url`. `report_url` is the full
    address that reports are sent to: it is part of what they sign."""

    name = "twilio"

    def __init__(
        self,
        *,
        account: str,
        token: Secret,
        sender: str,
        report_url: str,
        url: str = DEFAULT_URL,
        timeout: float = 10,
        development: bool = False,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"
        self._account = account
        self._token = token
        self._sender = {"MessagingServiceSid" if sender.startswith(_SERVICE) else "From": sender}
        self._report_url = report_url
        self._http = GuardedHttp(
            timeout=timeout, development=development, context=context, may_be_private=any_host
        )

    async def send(
        self, to: str, text: str, *, message_id: str
    ) -> MessageAccepted | MessageRefused | MessageDelayed:
        """201 means that the message is queued. A wrong account or token is tried again: the operator must mend it."""
        form = {"To": to, **self._sender, "Body": text, "StatusCallback": self._report_url}
        try:
            answer = await self._http.post(self._url, data=form, auth=(self._account, self._token.reveal()))
        except CallFailed as failed:
            return MessageDelayed(f"the gateway: {failed}")
        if answer.status in {200, 201}:
            return _created(answer, message_id)
        code = _problem_code(answer)
        if (reason := _NUMBER_REFUSED.get(code)) is not None:
            return MessageRefused(f"{reason} ({code})")
        said = f"the gateway: {answered(answer.status)}" + (f" ({code})" if code else "")
        if code == _TOO_MANY or answer.status in {401, 403, 404, 408, 429} or not 400 <= answer.status < 500:
            return MessageDelayed(said)
        return MessageRefused(said)

    def report(self, headers: Mapping[str, str], body: bytes, now: int) -> Report | Unsigned | None:
        """`MessageSid`, `MessageStatus` and `ErrorCode` of a status callback. Statuses on the way (queued, sent) say
        nothing final. The signature has no time: a repeated report changes nothing."""
        try:
            form = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            return Unsigned()
        given = headers.get(SIGNATURE, "").encode("utf-8", "replace")
        if not hmac.compare_digest(signature(self._token, self._report_url, form).encode(), given):
            return Unsigned()
        told = dict(form)
        gateway_id, status = told.get("MessageSid", ""), told.get("MessageStatus", "")
        if not gateway_id or status not in _SENT | _FAILED:
            return None
        if status in _SENT:
            return Report(gateway_id, None)
        code = told.get("ErrorCode", "")
        known = f" ({code})" if code.isascii() and code.isdigit() and len(code) < 7 else ""
        return Report(gateway_id, f"the gateway reports that it was not delivered{known}")

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


def signature(token: Secret, url: str, form: list[tuple[str, str]]) -> str:
    """Twilio's signature: HMAC-SHA-1 over the address and the sorted parameters, names and values without separators."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.reveal().encode(), signed.encode(), "sha1")).decode()


def _created(answer: GuardedAnswer, message_id: str) -> MessageAccepted:
    try:
        return MessageAccepted(msgspec.json.decode(answer.body, type=_Created).sid)
    except msgspec.DecodeError:
        return MessageAccepted(message_id)  # it is sent; only its reports cannot be found


def _problem_code(answer: GuardedAnswer) -> int:
    try:
        return msgspec.json.decode(answer.body, type=_Problem).code or 0
    except msgspec.DecodeError:
        return 0
