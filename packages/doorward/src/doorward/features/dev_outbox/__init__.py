"""Page of sent mails in development."""
