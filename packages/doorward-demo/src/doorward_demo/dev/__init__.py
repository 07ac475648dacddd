"""`doorward dev`: the whole system on one machine. It starts and watches processes, and serves nothing itself.

Each of these processes imports this package, so it imports nothing: start reading at `run`.
"""
