"""Commands, in a house of their own."""

from tests.cli.conftest import house, run, stocked

__all__ = ["house", "run", "stocked"]
