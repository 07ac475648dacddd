"""Consent of people to what an app asks for."""
