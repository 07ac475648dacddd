"""The demo: a web app and an API as anybody would write them around Doorward, and a driver that walks the whole flow."""

from doorward_demo.demo.drive.run import run
from doorward_demo.dev.trouble import CannotStart

__all__ = ["CannotStart", "run"]
