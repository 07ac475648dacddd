"""Fixtures for commands in a separate house."""

from tests.cli.conftest import house, make_once, run, stocked

__all__ = ["house", "make_once", "run", "stocked"]
