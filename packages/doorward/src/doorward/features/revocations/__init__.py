"""Revocation feed and view."""
