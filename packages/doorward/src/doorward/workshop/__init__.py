"""Where settings, adapters and actions are put together for the commands, as `wiring/` does for requests.

Nothing is imported here: a worker comes through this package and holds nothing of what only commands need.
"""
