"""Places and kinds of networks of IP addresses, from the operator's files."""
