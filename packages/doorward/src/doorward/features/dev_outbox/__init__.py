"""The page of sent mail in development."""
