"""Check for people whose provider or directory is no longer in the settings. Part of `doctor`; changes nothing."""

from __future__ import annotations

from doorward.core.model.finding import Finding, passed
from doorward.settings import Settings
from doorward.storage.sql.store import Store

_SHOWN = 5


async def connections(settings: Settings, store: Store) -> Finding | None:
    """Who vouches for nobody any more, though people are connected. None: nobody is connected with anything. Raises `StoreUnavailable`."""
    from doorward.features.admin.connections import connected_issuers, marks_of

    marks = marks_of(settings.providers, settings.directories)
    found = await connected_issuers(store, {mark for one in marks.values() for mark in one})
    if not found:
        return None
    gone = [one for one in found if not one.known]
    if not gone:
        return passed(f"people who sign in by a provider or directory: {sum(one.people for one in found)}")
    said = ", ".join(f"{one.people} with {one.issuer}" for one in gone[:_SHOWN])
    more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
    return passed(
        f"connected, and not in the settings: {said}{more}. They cannot sign in there; what they had open goes on until it ends",
        f'If that is meant, end it now: doorward provider end-access "{gone[0].issuer}". Otherwise put the section back.',
    )
