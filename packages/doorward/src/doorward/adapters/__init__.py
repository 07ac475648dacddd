"""Adapters of everything outside but the database: mail, hashing, keys, clock, random values, logs, metrics, Valkey."""
