"""Rules of directories."""
