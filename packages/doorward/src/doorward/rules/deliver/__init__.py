"""How does it travel? By redirect, form post, token response, cookie."""
