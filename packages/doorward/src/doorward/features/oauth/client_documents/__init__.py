"""Client-ID metadata documents: apps whose `client_id` is the https address of a document about them."""
