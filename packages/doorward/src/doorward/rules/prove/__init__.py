"""Is it them? The journey through the factors."""
