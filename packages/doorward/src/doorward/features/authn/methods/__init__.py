"""How somebody signs in: password, authenticator app and recovery codes, set up and taken away on the account pages."""
