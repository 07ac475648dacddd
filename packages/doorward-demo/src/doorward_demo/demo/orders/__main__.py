"""`python -m doorward_demo.demo.orders STATE`: the demo API as a process."""

from __future__ import annotations

from doorward_demo.demo.orders.app import create_app
from doorward_demo.demo.serving import serve, state_given

if __name__ == "__main__":
    state = state_given()
    serve(create_app(state.places.issuer, state.places.api), state.places.api)
