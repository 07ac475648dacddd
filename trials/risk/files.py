"""The invented operator's files, written as an operator would have them, and read by the server's own code."""

from __future__ import annotations

from pathlib import Path

from doorward.adapters.places.local import LocalPlaces
from doorward.core.model.place import NETWORK_KINDS
from tests.mmdb import write_mmdb
from trials.risk.world import World


def places_of(world: World, folder: Path) -> LocalPlaces:
    """Write the place database and the lists of networks into the folder, and open them."""
    database = write_mmdb(
        folder / "city.mmdb",
        {
            network: {
                "country": {"iso_code": country},
                "city": {"names": {"en": city}},
                "location": {"latitude": latitude, "longitude": longitude, "accuracy_radius": radius},
            }
            for network, country, city, latitude, longitude, radius in world.rows
        },
    )
    for kind in NETWORK_KINDS:
        (folder / kind).write_text("\n".join(world.listed[kind]) + "\n", "utf-8")
    return LocalPlaces(
        database=str(database),
        countries=(),
        networks={kind: [str(folder / kind)] for kind in NETWORK_KINDS},
    )
