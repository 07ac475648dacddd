"""The demo app: a confidential client with a server-side session, as written with any OpenID Connect library."""
