"""The revocation feed, view and status list."""
