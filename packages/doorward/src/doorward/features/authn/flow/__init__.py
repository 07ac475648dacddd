"""Sign-in flow: its steps and its end."""
