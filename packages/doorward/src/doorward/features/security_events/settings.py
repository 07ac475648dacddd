"""Settings of the streams of security events."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from doorward.core.model.section import Section

Seconds = Annotated[int, Meta(ge=1, le=30 * 86_400)]


class EventStreamPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of streams.

    `per_app`: streams of one app. `pause_after`: seconds for which a receiver may accept nothing before its stream is paused.
    `waiting`: events that one stream holds; with more it is disabled, and its events are dropped. `verification_interval`: seconds
    between two verification events that a receiver asks for. `private_hosts`: hosts of receivers that may have private addresses.
    """

    per_app: Annotated[int, Meta(ge=1, le=100)] = 5
    pause_after: Seconds = 86_400
    waiting: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000
    verification_interval: Annotated[int, Meta(ge=0, le=86_400)] = 30
    private_hosts: tuple[str, ...] = ()
