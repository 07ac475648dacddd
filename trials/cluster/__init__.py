"""Three nodes behind a proxy on one PostgreSQL with a standby, killed under load: is anybody signed out, is anything spent twice?

`python -m trials.cluster` runs it, prints a table and writes build/cluster.json. docs/explain/cluster-trial.md says what is done.
"""
