"""Construction of the application from its parts. Read `container.py` first, then `process.py` from `start` downwards.

Nothing is imported here: commands import this package and must not load what only a server needs.
"""
