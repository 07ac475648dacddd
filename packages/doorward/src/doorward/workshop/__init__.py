"""Where settings, adapters and actions are put together for the commands, as `wiring.py` does for requests."""

from doorward.workshop.bench import CommandWorkshop

__all__ = ["CommandWorkshop"]
