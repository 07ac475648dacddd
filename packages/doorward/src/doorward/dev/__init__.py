"""`doorward dev`: everything on one machine. It starts processes and watches them; it serves nothing itself."""

from doorward.dev.run import run
from doorward.dev.trouble import CannotStart

__all__ = ["CannotStart", "run"]
