"""Directory of all apps: those of the configuration, and those that no operator registered."""
