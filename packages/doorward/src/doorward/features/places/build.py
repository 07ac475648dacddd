"""Construction of the lookup of places and networks."""

from __future__ import annotations

from doorward.adapters.places.local import LocalPlaces
from doorward.core.model.section import Sections
from doorward.features.places.settings import PlacePolicy
from doorward.features.services import Services


def places(services: Services) -> LocalPlaces:
    """Places and kinds of networks of addresses."""
    return local_places(services.sections)


def local_places(sections: Sections) -> LocalPlaces:
    """The same from settings alone, for commands that open no database."""
    policy = sections.of(PlacePolicy)
    return LocalPlaces(
        database=policy.database,
        countries=policy.countries,
        networks={
            "hosting": policy.hosting,
            "anonymous": policy.anonymous,
            "company": policy.company,
        },
    )
