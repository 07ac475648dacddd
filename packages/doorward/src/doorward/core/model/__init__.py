"""Values that are stored, sent and compared."""
