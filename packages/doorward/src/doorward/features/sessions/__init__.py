"""Sessions of people, and their browsers."""
