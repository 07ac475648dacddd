"""Settings of an operator: `doorward.toml`, then `DOORWARD_*`, typed and checked; each fault is reported with its fix."""

from doorward.settings.load import load
from doorward.settings.problems import SettingsError
from doorward.settings.tree import Settings

__all__ = ["Settings", "SettingsError", "load"]
