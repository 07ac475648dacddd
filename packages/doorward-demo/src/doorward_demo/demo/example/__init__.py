"""Stand-in for another service with which people sign in: a small OpenID provider, below a path of the demo app."""
