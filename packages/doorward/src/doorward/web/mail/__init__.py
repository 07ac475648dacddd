"""Mail to people: a typed letter and a context go in, subject, text and HTML come out."""
