"""The parts that are put together. Read `container.py` first, then `process.py` from `start` downwards.

Nothing is imported here: a command comes through this package and loads nothing of what only a server needs.
"""
