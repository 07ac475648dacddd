"""Rules of phone numbers and of the text of a message."""
