"""`python -m doorward_demo.demo.shop STATE`: the demo app as a process."""

from __future__ import annotations

from doorward_demo.demo.serving import serve, state_given
from doorward_demo.demo.shop.app import create_app
from doorward_demo.demo.shop.provider import Registration

if __name__ == "__main__":
    state = state_given()
    places = state.places
    credential = state.apps.shop
    registration = Registration(
        issuer=places.issuer,
        client_id=credential.client_id,
        client_secret=credential.secret or "",
        redirect_uri=f"{places.shop}/callback",
        post_logout_redirect_uri=f"{places.shop}/signed-out",
        api=places.api,
    )
    serve(create_app(registration), places.shop)
