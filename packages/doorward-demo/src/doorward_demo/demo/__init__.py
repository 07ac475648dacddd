"""The demo: a web app and an API as any developer would write them around Doorward, and a driver for the whole flow."""

from doorward_demo.demo.drive.run import run
from doorward_demo.dev.trouble import CannotStart

__all__ = ["CannotStart", "run"]
