"""Operation of a server: backup, move and doctor."""
