"""Health, readiness, metrics and the home page."""
