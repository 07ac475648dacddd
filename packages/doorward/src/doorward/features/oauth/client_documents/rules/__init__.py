"""Rules for client-ID metadata documents. Pure."""
