"""Benchmark with a million people in the database: `python -m bench.scale`."""
