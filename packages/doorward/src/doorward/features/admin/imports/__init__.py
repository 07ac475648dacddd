"""Import of people from other systems: a reader for each format, and one service."""
