"""Cluster trial: three nodes behind a proxy on one PostgreSQL with a standby are killed under load. It checks that no
person is signed out and no token is spent twice.

`python -m trials.cluster` runs it, prints a table and writes build/cluster.json. See docs/explain/cluster-trial.md.
"""
