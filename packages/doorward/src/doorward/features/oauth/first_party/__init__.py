"""Sign-in by JSON for the server's own apps, and tokens in cookies."""
