"""`doorward demo`: the whole flow over HTTP, each request shown, each answer checked."""
