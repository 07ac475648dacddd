"""What the operator's files say about one IP address, and which of them says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from doorward.adapters.places.ranges import AddressRanges, BadTable
from doorward.adapters.places.tables import listed_ranges
from doorward.core.model.place import NETWORK_KINDS, NetworkKind, Place, public_address
from doorward.core.model.section import Sections
from doorward.features.places.build import local_places
from doorward.features.places.settings import PlacePolicy


class KnownAddress(Struct, frozen=True):
    """`place` and `network` are what the server uses; `lists` are all files that hold the address, with their kinds."""

    address: str
    public: bool
    place: Place | None
    network: NetworkKind | None
    lists: Sequence[tuple[NetworkKind, str]]
    why: str
    problems: Sequence[str]


def explained(sections: Sections, address: str) -> KnownAddress:
    """What the files say about an IP address. Each is read."""
    found, policy = local_places(sections), sections.of(PlacePolicy)
    place, network = found.find(address), found.network(address)
    lists: list[tuple[NetworkKind, str]] = [
        (kind, name)
        for kind in NETWORK_KINDS
        for name in getattr(policy, kind)
        if public_address(address) is not None and _holds(Path(name), address)
    ]
    return KnownAddress(
        address=address,
        public=public_address(address) is not None,
        place=place,
        network=network,
        lists=lists,
        why=_why(policy, address, known=place is not None or network is not None, lists=len(lists)),
        problems=found.problems,
    )


def _holds(path: Path, address: str) -> bool:
    public = public_address(address)
    try:
        return public is not None and AddressRanges(listed_ranges(path)).label(public) is not None
    except (BadTable, OSError):
        return False


def _why(policy: PlacePolicy, address: str, *, known: bool, lists: int) -> str:
    if public_address(address) is None:
        return (
            "It is not an address of the public Internet (private, local, shared by a carrier, or reserved), "
            "so it has no place and is no signal."
        )
    if lists > 1:
        return f"It is in several lists. The first of these kinds counts: {', '.join(NETWORK_KINDS)}."
    if known:
        return ""
    if policy == PlacePolicy():
        return "The settings have no section [places]."
    return "No file of [places] has it. An unknown place is no signal."
