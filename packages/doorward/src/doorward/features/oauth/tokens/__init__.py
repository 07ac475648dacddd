"""The signed tokens: access tokens and ID tokens."""
