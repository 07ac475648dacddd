"""Demo command line `doorward-demo`: signs in with a code that is typed on another device (RFC 8628)."""
