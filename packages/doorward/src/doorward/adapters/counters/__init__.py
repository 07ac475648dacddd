"""Counters of the rate limits."""
