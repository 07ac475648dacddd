"""Settings of API keys: `[api_keys]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta

from doorward.core.model.section import Section, Surroundings

DAY: Final = 86_400
Life = Annotated[int, Meta(ge=3600, le=3650 * DAY)]


class ApiKeyPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Who may have keys, how many, and for how long. All times are seconds.

    `people`: people make keys of their own on their account page. `most` are the live keys of one person or app. `life` is the usual
    life of a key, `longest_life` the longest; `longest_overlap` that of a replaced secret beside the new one. `token_ttl` bounds the
    access tokens made from keys.
    """

    people: bool = True
    most: Annotated[int, Meta(ge=1, le=200)] = 20
    life: Life = 90 * DAY
    longest_life: Life = 366 * DAY
    longest_overlap: Annotated[int, Meta(ge=0, le=30 * DAY)] = 7 * DAY
    token_ttl: Annotated[int, Meta(ge=10, le=300)] = 300

    def problems(self, around: Surroundings) -> Iterator[str]:
        """A usual life beyond the longest one."""
        del around
        if self.life > self.longest_life:
            yield f"api_keys.life is {self.life}; it can be up to api_keys.longest_life, {self.longest_life}"
