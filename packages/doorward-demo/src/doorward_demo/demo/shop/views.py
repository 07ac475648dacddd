"""Pages of the app, which need no script."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import HTMLResponse, Response

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.looks import CSP, pages
from doorward_demo.demo.shop.api import Answer
from doorward_demo.demo.shop.provider import SCOPES, Registration
from doorward_demo.demo.shop.sessions import Session


def signed_out(registration: Registration, *, done: str | None = None, ended: str | None = None) -> Response:
    """The page before a sign-in."""
    return _page("signed_out.html", 200, issuer=registration.issuer, done=done, ended=ended)


def failed(text: str, status: int) -> Response:
    """The page after an error, with a link to continue."""
    return _page("failed.html", status, title="That did not work", text=text, retry="Sign in again")


def cancelled(error: str) -> Response:
    """The page after the person or the server refused."""
    denied = error == "access_denied"
    title = "Nothing was shared" if denied else "That did not work"
    text = (
        "You did not connect Corner Shop to your account."
        if denied
        else f"The server answered: {error[:60]}."
    )
    return _page("failed.html", 200 if denied else 400, title=title, text=text, retry="Sign in")


def orders(session: Session, answer: Answer, *, placed: Answer | None, now: float) -> Response:
    """The person, their orders, and the tokens behind them."""
    claims = session.who.claims
    token = decoded(session.access_token)
    status = 200 if placed is None or placed.status < 400 else placed.status
    return _page(
        "orders.html",
        status,
        issuer=claims["iss"],
        name=str(claims.get("name") or claims.get("email") or session.who.sub),
        email=claims.get("email"),
        roles=list(token.payload.get("roles", [])),
        scopes=sorted(session.scopes),
        missing=sorted(set(SCOPES.split()) - session.scopes),
        seconds=max(0, round(session.access_expires_at - now)),
        refreshes=session.refreshes,
        csrf=session.csrf,
        answer=answer,
        orders=answer.document.get("orders", []),
        problem=_problem(answer) if answer.status != 200 else None,
        placed=placed,
        placed_problem=_problem(placed) if placed is not None and placed.status != 201 else None,
        access_header=_pretty(token.header),
        access_payload=_pretty(token.payload),
        id_payload=_pretty(claims),
    )


def invoices(session: Session, answer: Answer) -> Response:
    """The invoices, and how the person had to sign in for them."""
    token = decoded(session.access_token)
    return _page(
        "invoices.html",
        answer.status,
        answer=answer,
        invoices=answer.document.get("invoices", []),
        problem=_problem(answer) if answer.status != 200 else None,
        acr=token.payload.get("acr"),
        amr=token.payload.get("amr", []),
    )


def not_strong_enough(registration: Registration) -> Response:
    """The page after a sign-in that is still not what the API wants."""
    return _page("set_up.html", 403, issuer=registration.issuer)


def _problem(answer: Answer) -> str:
    if answer.status == 403:
        return f"The API says 403: {answer.challenge or 'forbidden'}"
    if answer.status == 422:
        return "The API says 422: an order has an item of at most 80 characters, and a quantity from 1 to 99."
    return f"The API says {answer.status}."


def _pretty(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _page(template: str, status: int, **values: object) -> Response:
    # browsers apply form-action also to the redirect after a POST: the sign-out redirects to the server
    issuer = values.get("issuer")
    policy = CSP.replace("form-action 'self'", f"form-action 'self' {issuer}") if issuer else CSP
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(pages.get_template(template).render(**values), status, headers)
