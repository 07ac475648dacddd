"""Who is at the other end of the wire, as far as the record of events is concerned."""

from __future__ import annotations

from msgspec import Struct


class Caller(Struct, frozen=True):
    """The client address by the trusted proxies' word, the user agent in its own words, and the request's id; all only for the
    audit record, the log and throttling, never for a decision about who somebody is."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""
