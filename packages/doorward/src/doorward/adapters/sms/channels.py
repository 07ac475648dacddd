"""Gateways by the value of `sms.channel`: one more is one file, one entry here, and one value of the setting."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from doorward.adapters.sms.twilio import DEFAULT_URL, TwilioChannel
from doorward.adapters.sms.webhook import WebhookChannel
from doorward.core.model.policy import SmsPolicy
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.message_channel import MessageChannel

REPORTS: Final = "/sms/report/"
"""The path of delivery reports; the channel's name follows."""


class ChannelNeeds(Struct, frozen=True, kw_only=True):
    """What every channel needs besides its settings."""

    issuer: str
    clock: Clock
    development: bool
    context: ssl.SSLContext


def _webhook(policy: SmsPolicy, needs: ChannelNeeds) -> MessageChannel:
    return WebhookChannel(
        url=policy.url or "",
        token=policy.token or Secret(""),
        clock=needs.clock,
        timeout=policy.timeout,
        development=needs.development,
        context=needs.context,
    )


def _twilio(policy: SmsPolicy, needs: ChannelNeeds) -> MessageChannel:
    return TwilioChannel(
        account=policy.account or "",
        token=policy.token or Secret(""),
        sender=policy.sender or "",
        report_url=f"{needs.issuer}{REPORTS}twilio",
        url=policy.url or DEFAULT_URL,
        timeout=policy.timeout,
        development=needs.development,
        context=needs.context,
    )


CHANNELS: Final[Mapping[str, Callable[[SmsPolicy, ChannelNeeds], MessageChannel]]] = {
    "webhook": _webhook,
    "twilio": _twilio,
}


def channel_of(policy: SmsPolicy, needs: ChannelNeeds) -> MessageChannel | None:
    """The channel of the settings. None: there is none, or it has no address yet (development), and messages stay in
    the outbox."""
    if policy.channel == "webhook" and policy.url is None:
        return None
    make = CHANNELS.get(policy.channel)
    return None if make is None else make(policy, needs)
