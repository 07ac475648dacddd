"""Mail to people: a message and a context go in; subject, text and HTML come out."""
