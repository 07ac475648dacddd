"""What operators run: backup, move and doctor."""
