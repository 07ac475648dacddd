"""Signed tokens: access tokens and ID tokens."""
