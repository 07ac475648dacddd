"""Message channel: sends one text message to a phone, and reads the delivery reports of its gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class MessageAccepted(Struct, frozen=True):
    """The gateway has taken the message, which is not yet delivered. Delivery reports name it by `gateway_id`."""

    gateway_id: str


class MessageRefused(Struct, frozen=True):
    """The gateway will never take this message: a retry is useless. `reason` is safe to log and to show to an operator."""

    reason: str


class MessageDelayed(Struct, frozen=True):
    """The gateway did not take the message now. `reason` is safe to log and to show to an operator."""

    reason: str


class Report(Struct, frozen=True):
    """A delivery report whose signature was checked. `problem`: the reason why the message did not arrive, safe to log;
    None: it arrived."""

    gateway_id: str
    problem: str | None


class Unsigned(Struct, frozen=True):
    """A request that the gateway has not signed."""


class MessageChannel(Protocol):
    """One gateway."""

    @property
    def name(self) -> str:
        """The value of `sms.channel`, and the last part of the address of delivery reports."""
        ...

    async def send(
        self, to: str, text: str, *, message_id: str
    ) -> MessageAccepted | MessageRefused | MessageDelayed:
        """Hand one message over. `to` is in E.164; `message_id` is the same for each try, so that a gateway can
        recognise a repeated one. Never raises for what the gateway or the network does."""
        ...

    def report(self, headers: Mapping[str, str], body: bytes, now: int) -> Report | Unsigned | None:
        """The report in a request of the gateway; None when it says nothing final. `headers` have names in lower case."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
