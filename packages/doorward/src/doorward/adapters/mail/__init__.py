"""The mail queue and its delivery over SMTP."""
