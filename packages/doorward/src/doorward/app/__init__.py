"""What is put together: the one room that knows every adapter. Read `process.py` from `start` downwards."""

from doorward.app.process import create_app, start

__all__ = ["create_app", "start"]
