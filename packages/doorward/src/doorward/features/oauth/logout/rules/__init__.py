"""Rules of log-out. Pure."""
