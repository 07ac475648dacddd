"""Limits of fetches: nobody can use this server to call another host often (R93)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from doorward.core.model.bucket import Bucket
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
"""Seconds."""
PER_NETWORK: Final = 30
PER_HOST: Final = 60
TOTAL: Final = 2000
"""Fetches in a window: for one network of requesters, to one host, and all together."""


def of_fetch(url: str, address: str, *, tag: Callable[[str], str]) -> tuple[Bucket, ...]:
    """The counters of one fetch of `url` for a requester at `address`. `tag` is a keyed hash."""
    networks = tuple(
        Bucket(tag(f"document:by:{block.name}"), PER_NETWORK * block.times, WINDOW)
        for block in blocks(address)
    )
    return (*networks, *of_host(url, tag=tag), Bucket(tag("document:all"), TOTAL, WINDOW))


def of_host(url: str, *, tag: Callable[[str], str]) -> tuple[Bucket, ...]:
    """The counter of fetches from the host of `url`."""
    return (Bucket(tag(f"document:host:{urlsplit(url).hostname}"), PER_HOST, WINDOW),)
