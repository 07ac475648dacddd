"""Sign-in of a first-party app without a page, by the JSON endpoint, step by step."""

from __future__ import annotations

import time
from typing import Any

import httpx2

from tests.flows.apps import App, Tokens, good, pkce
from tests.flows.seeds import PASSWORD
from tests.waiting import PATIENCE


def challenge(app: App, **members: Any) -> httpx2.Response:
    """One call of the endpoint, as JSON."""
    if app.secret is None:
        members.setdefault("client_id", app.client_id)
    return app.http.post(f"{app.base}/authorize-challenge", json=members, headers=app.authorization)


def tokens_by_challenge(app: App, email: str, scope: str, *, password: str = PASSWORD) -> Tokens:
    """The complete sign-in of a person with one factor: credentials in, a code out, tokens for the code."""
    verifier, hashed = pkce()
    last = time.monotonic() + PATIENCE
    while True:
        answer = challenge(
            app,
            username=email,
            password=password,
            scope=scope,
            code_challenge=hashed,
            code_challenge_method="S256",
        )
        # a machine busy with tests may have no time for a hash: that is a 503, and an app retries
        if answer.status_code != 503 or time.monotonic() > last:
            break
        time.sleep(0.3)
    assert answer.status_code == 200, answer.text
    return good(
        app.token(
            grant_type="authorization_code", code=answer.json()["authorization_code"], code_verifier=verifier
        )
    )
