"""`python -m doorward.demo.orders STATE`: the demo API as a process."""

from __future__ import annotations

from doorward.demo.orders.app import create_app
from doorward.demo.serving import serve, state_given

if __name__ == "__main__":
    state = state_given()
    serve(create_app(state.places.issuer, state.places.api), state.places.api)
