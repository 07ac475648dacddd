"""Moving a server to another database."""
