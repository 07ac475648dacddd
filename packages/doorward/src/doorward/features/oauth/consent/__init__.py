"""Consent of people to the requests of apps."""
