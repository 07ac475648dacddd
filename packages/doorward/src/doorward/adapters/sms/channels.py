"""Gateways by the value of `sms.channel`: one more is one file, one entry here, and one value of the setting."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from doorward.adapters.sms.twilio import DEFAULT_URL, TwilioChannel
from doorward.adapters.sms.webhook import WebhookChannel
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.message_channel import MessageChannel

REPORTS: Final = "/sms/report/"
"""The path of delivery reports; the channel's name follows."""


class ChannelNeeds(Struct, frozen=True, kw_only=True):
    """What channels need. `url`, `account`, `token`, `sender` and `timeout` (seconds) are the operator's settings of the gateway."""

    issuer: str
    clock: Clock
    development: bool
    context: ssl.SSLContext
    url: str | None
    account: str | None
    token: Secret | None
    sender: str | None
    timeout: int


def _webhook(needs: ChannelNeeds) -> MessageChannel:
    return WebhookChannel(
        url=needs.url or "",
        token=needs.token or Secret(""),
        clock=needs.clock,
        timeout=needs.timeout,
        development=needs.development,
        context=needs.context,
    )


def _twilio(needs: ChannelNeeds) -> MessageChannel:
    return TwilioChannel(
        account=needs.account or "",
        token=needs.token or Secret(""),
        sender=needs.sender or "",
        report_url=f"{needs.issuer}{REPORTS}twilio",
        url=needs.url or DEFAULT_URL,
        timeout=needs.timeout,
        development=needs.development,
        context=needs.context,
    )


CHANNELS: Final[Mapping[str, Callable[[ChannelNeeds], MessageChannel]]] = {
    "webhook": _webhook,
    "twilio": _twilio,
}


def channel_of(name: str, needs: ChannelNeeds) -> MessageChannel | None:
    """The channel with this name. None: there is none, or it has no address yet (development), and messages stay in
    the outbox."""
    if name == "webhook" and needs.url is None:
        return None
    make = CHANNELS.get(name)
    return None if make is None else make(needs)
