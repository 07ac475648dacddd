"""Names that the version before starts its workers by. Gone with the next version."""
