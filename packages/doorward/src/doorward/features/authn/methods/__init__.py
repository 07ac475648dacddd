"""Sign-in methods on the account pages: password, authenticator app and recovery codes, set up and removed."""
