"""Health, readiness, metrics and the front page."""
