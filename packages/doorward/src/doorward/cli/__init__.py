"""The commands: `doorward serve`, `doorward app create`, … Each opens the store, calls one action, shows what came out."""

from doorward.cli.app import app, main

__all__ = ["app", "main"]
