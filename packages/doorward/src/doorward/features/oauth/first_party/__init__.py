"""JSON sign-in of first-party apps, and tokens in cookies."""
