"""`doorward dev`: the whole system on one machine. It starts and watches processes, and serves nothing itself."""

from doorward_demo.dev.run import run
from doorward_demo.dev.trouble import CannotStart

__all__ = ["CannotStart", "run"]
