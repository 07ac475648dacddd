"""Steps at the API: the request that is accepted, and those that are refused."""

from __future__ import annotations

from typing import cast

from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.failed import expect
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.wire import document


def call(journey: Journey) -> str:
    """With the access token: 200."""
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=journey.has.access)
    expect(answer.status_code == 200, "status 200", answer.status_code)
    orders: object = document(answer).get("orders")
    count = len(cast("list[object]", orders)) if isinstance(orders, list) else 0
    expect(count > 0, "orders", "none")
    return f"{count} orders"


def call_without_token(journey: Journey) -> str:
    """Without a token: 401 and the metadata address, but no error code (RFC 6750 §3.1)."""
    answer = journey.wire.send("GET", f"{journey.api}/orders")
    expect(answer.status_code == 401, "status 401", answer.status_code)
    challenge = answer.headers.get("www-authenticate", "")
    expect(
        challenge.startswith("Bearer ") and "resource_metadata=" in challenge and "error=" not in challenge,
        "a Bearer challenge with resource_metadata and without an error",
        challenge or "no WWW-Authenticate",
    )
    return "The API says who may help: its metadata names the issuer"


def call_foreign_audience(journey: Journey) -> str:
    """With a real token of the same issuer for another API: 401."""
    report = journey.state.apps.report
    form = {
        "grant_type": "client_credentials",
        "resource": journey.state.foreign_audience,
        "scope": "stock:read",
    }
    answer = journey.wire.send(
        "POST", journey.metadata["token_endpoint"], form=form, basic=(report.client_id, report.secret or "")
    )
    said = document(answer)
    expect(
        answer.status_code == 200, "a token for another API", f"{answer.status_code} {said.get('error', '')}"
    )
    foreign = str(said["access_token"])
    token = decoded(foreign)
    journey.show_token("foreign access token", token)
    expect(
        token.payload.get("aud") == journey.state.foreign_audience,
        f"aud {journey.state.foreign_audience}",
        token.payload.get("aud"),
    )
    refused(journey, foreign)
    return f"A token for {journey.state.foreign_audience} opens nothing here"


def call_without_scope(journey: Journey) -> str:
    """With a token that lacks orders:write: 403, and the required scope (RFC 6750 §3.1)."""
    body = {"item": "Door knocker", "quantity": 1}
    answer = journey.wire.send("POST", f"{journey.api}/orders", token=journey.has.access, body=body)
    expect(answer.status_code == 403, "status 403", answer.status_code)
    challenge = answer.headers.get("www-authenticate", "")
    expect(
        'error="insufficient_scope"' in challenge and 'scope="orders:write"' in challenge,
        'a challenge with insufficient_scope and scope="orders:write"',
        challenge or "no WWW-Authenticate",
    )
    return "A customer reads, and does not write"


def refused(journey: Journey, token: str) -> None:
    """The API refuses this token as invalid. Raises `NotAsItShouldBe` otherwise."""
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=token)
    expect(answer.status_code == 401, "status 401", answer.status_code)
    challenge = answer.headers.get("www-authenticate", "")
    expect(
        'error="invalid_token"' in challenge,
        "a challenge with invalid_token",
        challenge or "no WWW-Authenticate",
    )
