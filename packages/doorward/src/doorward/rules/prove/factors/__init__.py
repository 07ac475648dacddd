"""One file per way to prove something; none knows of another."""
