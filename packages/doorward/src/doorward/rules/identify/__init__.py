"""Who asks? The person's account, the app, and the app's proof of itself."""
