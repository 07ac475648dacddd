"""May they? The checks of an authorization request, consent, and what is granted."""
