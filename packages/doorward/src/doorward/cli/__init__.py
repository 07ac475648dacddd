"""Commands: `doorward serve`, `doorward app create`, … Each opens the store, calls one action, and shows the result."""

from doorward.cli.app import app, main

__all__ = ["app", "main"]
