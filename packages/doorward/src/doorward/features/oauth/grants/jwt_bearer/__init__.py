"""JWT bearer grant (RFC 7523): access tokens for assertions of trusted issuers."""
