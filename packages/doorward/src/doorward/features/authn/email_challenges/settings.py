"""Settings of codes and links by mail: `[tickets]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from doorward.core.model.section import Section


class EmailChallengePolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Codes and links that prove an address. They are valid for at most 10 minutes (ASVS 6.6)."""

    ttl: Annotated[int, Meta(ge=60, le=600)] = 600
