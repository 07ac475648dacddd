"""Settings of dynamic client registration."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from doorward.core.model.section import Section

Count = Annotated[int, Meta(ge=1, le=100_000)]
Days = Annotated[int, Meta(ge=1, le=3650)]


class RegistrationPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may register an app.

    `mode`: `off`; `token`, with an initial access token alone; or `open`, anybody. `per_network`: open registrations from one network in an
    hour, `per_hour`: from all together. `most`: apps that are kept at a time. `unused_days`: how long an app is kept in which nobody has
    signed in.
    """

    mode: Literal["off", "token", "open"] = "off"
    per_network: Count = 20
    per_hour: Count = 500
    most: Count = 10_000
    unused_days: Days = 30
