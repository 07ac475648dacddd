"""Adapters of external systems except the database: mail, hashing, keys, clock, random values, logs, metrics, Valkey."""
