"""Fixtures for commands in a separate house."""

from tests.cli.conftest import house, run, stocked

__all__ = ["house", "run", "stocked"]
