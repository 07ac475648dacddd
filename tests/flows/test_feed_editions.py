"""Tests that verifiers of this and of the previous release refuse every kind of revocation, in any number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.revocation import Revocation
from doorward.features.admin import build as admin
from doorward.features.revocations.rules.pages import PAGE
from doorward.features.services import Services
from doorward.storage.sql.open import open_store
from doorward_verify.revocation import hidden
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import good, payload
from tests.flows.released_verifier import released_verifier
from tests.flows.running import Running, running
from tests.flows.seeds import API, PASSWORD, House, seed
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import until

ENGINES = POSTGRES_IN_SOAK
SCOPE = "openid orders:read"
KINDS = ("jti", "grant", "sid", "sub", "client")


@pytest.fixture
def server(tmp_path: Path, own_database: str | None) -> Generator[Running]:
    with running(tmp_path, database=own_database) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture
def house(server: Running) -> Generator[House]:
    made = seed(server)
    yield made
    made.close()


def tokens_to_revoke(server: Running, house: House) -> tuple[dict[str, str], Callable[[], None]]:
    """A token for each kind of entry, and the actions that create the entries. `good` is not revoked."""
    alone = tokens_by_challenge(house.own, "ada@example.com", SCOPE)
    family = tokens_by_challenge(house.own, "ada@example.com", SCOPE)
    person, attempt = server.person(), house.own.begin(SCOPE)
    session = house.own.redeem(attempt, person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD))
    tokens = {
        "good": tokens_by_challenge(house.own, "ada@example.com", SCOPE).access,
        "jti": alone.access,
        "grant": family.access,
        "sid": session.access,
        "sub": tokens_by_challenge(house.own, "bob@example.com", SCOPE).access,
        "client": good(house.service.token(grant_type="client_credentials")).access,
    }

    def revoke() -> None:
        assert house.own.post("/revoke", token=alone.access).status_code == 200
        assert house.own.post("/revoke", token=family.refresh).status_code == 200
        person.open(f"/logout?id_token_hint={session.body['id_token']}")

        async def ended(services: Services) -> None:
            await services.get(admin.people).disable(os_actor(), "bob@example.com")
            await services.get(admin.apps).delete(os_actor(), house.service.client_id)

        server.operate(ended)

    return tokens, revoke


def fill(server: Running, database: str | None, count: int) -> None:
    """Add so many entries to the view."""

    async def work() -> None:
        store = await open_store(database or str(server.config.parent / "doorward.db"), migrate=False)
        now = int(time.time())
        for start in range(0, count, 500):
            await store.commit(
                *(
                    store.revocations.insert(Revocation("grant", f"grt_{n}", now, now + 900))
                    for n in range(start, min(start + 500, count))
                )
            )
        await store.close()

    asyncio.run(work())


@pytest.mark.requirement(58, 93, 98)
def test_both_verifiers_refuse_every_kind_whether_they_follow_or_start_afterwards(
    server: Running, house: House, own_database: str | None
) -> None:
    tokens, revoke = tokens_to_revoke(server, house)
    with released_verifier(server.issuer, API) as old, server.api(API) as new:
        for kind, token in tokens.items():
            assert (old(token), new.refusal(token)) == ("good", None), kind
        revoke()
        for kind in KINDS:
            until(lambda kind=kind: old(tokens[kind]) == "revoked", lambda kind=kind: f"old, {kind}")
            until(lambda kind=kind: new.refusal(tokens[kind]) == "revoked", lambda kind=kind: f"new, {kind}")
        assert (old(tokens["good"]), new.refusal(tokens["good"])) == ("good", None)
        # so many that a following verifier is far behind, and a starting one has to read several pages
        fill(server, own_database, 2 * PAGE + 7)
        until(lambda: len(new.auth._view) > 2 * PAGE)
        for kind in KINDS:
            assert (old(tokens[kind]), new.refusal(tokens[kind])) == ("revoked", "revoked"), kind
        assert (old(tokens["good"]), new.refusal(tokens["good"])) == ("good", None)
    with released_verifier(server.issuer, API) as old, server.api(API) as new:
        for kind in KINDS:
            assert (old(tokens[kind]), new.refusal(tokens[kind])) == ("revoked", "revoked"), kind
        assert (old(tokens["good"]), new.refusal(tokens["good"])) == ("good", None)


@pytest.mark.requirement(98)
def test_the_feed_shows_no_ids_and_an_api_with_a_token_finds_its_entry(server: Running, house: House) -> None:
    tokens, revoke = tokens_to_revoke(server, house)
    revoke()
    with server.http() as http:
        body = http.get("/revocations", params={"v": "2"})
        assert http.get("/revocations", params={"v": "3"}).status_code == 400
    for start in ("usr_", "ses_", "grt_", "app_"):
        assert start not in body.text
    found = {(entry["kind"], entry["id"]) for entry in body.json()["entries"]}
    salt: str = body.json()["salt"]
    claims = {kind: payload(token) for kind, token in tokens.items()}
    assert ("jti", hidden(salt, "jti", claims["jti"]["jti"])) in found
    assert ("sid", hidden(salt, "sid", claims["sid"]["sid"])) in found
    assert ("sub", hidden(salt, "sub", claims["sub"]["sub"])) in found
    assert ("client", hidden(salt, "client", house.service.client_id)) in found
    assert ("sub", hidden(salt, "sub", claims["good"]["sub"])) not in found
