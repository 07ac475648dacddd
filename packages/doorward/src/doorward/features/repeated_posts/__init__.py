"""Forms that are posted twice."""
