"""Counters and change notification over Valkey."""
