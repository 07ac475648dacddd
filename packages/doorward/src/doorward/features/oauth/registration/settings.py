"""Settings of dynamic client registration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from doorward.core.model.section import Section, Surroundings
from doorward.features.oauth.clients.rules.private_schemes import WIDELY_USED, scheme_problem

Count = Annotated[int, Meta(ge=1, le=100_000)]
Days = Annotated[int, Meta(ge=1, le=3650)]
_MOST_SCHEMES: Final = 50


class RegistrationPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may register an app.

    `mode`: `off`; `token`, with an initial access token alone; or `open`, anybody. `per_network`: open registrations from one network in an
    hour, `per_hour`: from all together. `most`: apps that are kept at a time. `unused_days`: how long an app is kept in which nobody has
    signed in. `private_schemes`: private-use schemes without a domain that native apps may have, also those that an operator registers.
    """

    mode: Literal["off", "token", "open"] = "off"
    per_network: Count = 20
    per_hour: Count = 500
    most: Count = 10_000
    unused_days: Days = 30
    private_schemes: tuple[str, ...] = WIDELY_USED

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Schemes that no app may have."""
        del around
        if len(self.private_schemes) > _MOST_SCHEMES:
            yield f"registration.private_schemes holds {len(self.private_schemes)} schemes; it can hold {_MOST_SCHEMES}"
        for name in self.private_schemes[:_MOST_SCHEMES]:
            if (why := scheme_problem(name)) is not None:
                yield f'registration.private_schemes holds "{name[:80]}", which {why}'
