"""The demo API's endpoints: the code that an API needs to accept Doorward's access tokens."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI, Security
from fastapi.responses import HTMLResponse, Response
from msgspec import structs
from pydantic import BaseModel, Field

from doorward_demo.demo.looks import CSP, STYLE
from doorward_demo.demo.orders.docs_page import docs_page
from doorward_demo.demo.orders.ledger import Ledger, Order
from doorward_verify import ApiKeys
from doorward_verify.fastapi import FastAPIResourceServer, Principal

STEP_UP_FOR: Final = 600
"""Seconds after a sign-in with two factors in which the bank details can be read."""


class NewOrder(BaseModel):
    """What a clerk orders."""

    item: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=1, le=99)] = 1


def create_app(issuer: str, audience: str) -> FastAPI:
    """The API that accepts `issuer`'s tokens and API keys for `audience`."""
    auth = FastAPIResourceServer(issuer, audience, scopes=("orders:read", "orders:write"), api_keys=ApiKeys())
    app = FastAPI(title="Orders", lifespan=auth.lifespan, docs_url=None, redoc_url=None)
    app.include_router(auth.router)
    ledger = Ledger()

    def orders(who: Principal = Security(auth, scopes=["orders:read"])) -> dict[str, Any]:
        """Your orders; a clerk and an auditor see everybody's."""
        own = ledger.of(who.sub)
        shown = own if who.roles.isdisjoint({"clerk", "auditor"}) else ledger.of_everybody()
        return {"orders": [_public(order, who) for order in shown]}

    sure = auth.require(scopes=["orders:read"], acr=["urn:doorward:aal2"], max_age=STEP_UP_FOR)

    def invoices(who: Principal = sure) -> dict[str, Any]:
        """Your invoices, with bank details: for who signed in with two factors just now (RFC 9470)."""
        return {"invoices": ledger.invoices(who.sub)}

    def place(order: NewOrder, who: Principal = Security(auth, scopes=["orders:write"])) -> dict[str, Any]:
        """Place an order."""
        return _public(ledger.place(who.sub, order.item, order.quantity), who)

    def me(who: Principal = Security(auth)) -> dict[str, Any]:
        """What the access token says of its holder."""
        return {
            "sub": who.sub,
            "client_id": who.client_id,
            "scopes": sorted(who.scopes),
            "roles": sorted(who.roles),
            "permissions": sorted(who.permissions),
            "acr": who.acr,
            "amr": list(who.amr),
            "expires_at": who.expires_at,
        }

    def healthz(answer: Response) -> dict[str, str]:
        answer.status_code = 200 if auth.ready else 503
        return {"status": "ok" if auth.ready else "waits for the server"}

    def docs() -> Response:
        return HTMLResponse(
            docs_page(app.openapi(), issuer, audience), headers={"Content-Security-Policy": CSP}
        )

    def style() -> Response:
        return Response(STYLE, media_type="text/css")

    app.get("/orders")(orders)
    app.get("/invoices")(invoices)
    app.post("/orders", status_code=201)(place)
    app.get("/me")(me)
    app.get("/healthz", include_in_schema=False)(healthz)
    app.get("/docs", include_in_schema=False)(docs)
    app.get("/style.css", include_in_schema=False)(style)
    return app


def _public(order: Order, who: Principal) -> dict[str, Any]:
    return {**structs.asdict(order), "yours": order.owner == who.sub}
