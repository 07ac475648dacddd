"""Browser sessions and browser cookies."""
