"""The faces: pages, protocol endpoints and the ASGI application that leads to them."""
