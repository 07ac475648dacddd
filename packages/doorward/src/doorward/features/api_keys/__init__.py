"""API keys: long-lived credentials of people and apps for one API."""
