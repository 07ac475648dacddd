"""Password rules. Pure."""
