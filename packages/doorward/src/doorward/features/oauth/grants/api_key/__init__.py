"""API key grant: a short-lived access token for an API key, by a grant type of Doorward's own."""
