"""`doorward dev`: everything on one machine. It starts processes and watches them; it serves nothing itself."""

from doorward_demo.dev.run import run
from doorward_demo.dev.trouble import CannotStart

__all__ = ["CannotStart", "run"]
