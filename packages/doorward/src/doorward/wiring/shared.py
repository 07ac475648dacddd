"""What do the processes of one server share, beside the database? Bells, and counters where a cache is given."""

from __future__ import annotations

from doorward.outside.bells import Bells
from doorward.ports.store import Store
from doorward.settings import Settings


def open_bells(_settings: Settings, store: Store) -> Bells:
    """Rung by what this process commits; they wake what waits here and elsewhere."""
    bells = Bells()
    store.on_change(bells.changed)
    return bells
