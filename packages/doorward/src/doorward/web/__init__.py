"""HTTP: requests, responses, pages, protocol endpoints and the ASGI application."""
