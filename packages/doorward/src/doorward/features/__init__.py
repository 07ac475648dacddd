"""Features of the server, one folder each."""
