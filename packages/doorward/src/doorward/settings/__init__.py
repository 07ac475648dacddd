"""What an operator may choose: `doorward.toml`, then `DOORWARD_*`, typed and checked, every fault with its fix."""

from doorward.settings.load import load
from doorward.settings.problems import SettingsError
from doorward.settings.tree import Settings

__all__ = ["Settings", "SettingsError", "load"]
