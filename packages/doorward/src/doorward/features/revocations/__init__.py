"""Revocation feed, view and status list."""
