"""Doorward's demo: `doorward dev` and `doorward demo`."""
