"""The demo app: a confidential client with a server-side session, as anybody would write it with any OpenID Connect library."""
