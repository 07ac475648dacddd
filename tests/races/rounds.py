"""Assertions after each round of a race, shared by the short tests and the soak tests."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec import structs

from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.flows.apps import App, payload
from tests.flows.browsing import Person
from tests.flows.processes import Fleet
from tests.flows.seeds import API, PASSWORD
from tests.races.crowds import MANY, crowd

SCOPE = "openid orders:read"


async def refresh_rounds(fleet: Fleet, app: App, rounds: int, *, email: str = "ada@example.com") -> None:
    """In each round every client refreshes with the newest token at once: there is one successor, it works, and nobody is signed
    out."""
    async with crowd(fleet, app) as everybody:
        code, attempt = await everybody.code(email, SCOPE)
        first = await everybody.one(
            0, grant_type="authorization_code", code=code, code_verifier=attempt.verifier
        )
        assert first.status_code == 200, first.text
        newest: str = first.json()["refresh_token"]
        grant = payload(first.json()["access_token"])["jti"].partition(".")[0]
        for number in range(rounds):
            answers = await everybody.refreshing(newest)
            assert Counter(answer.status_code for answer in answers) == {200: MANY}, (
                f"round {number}: {Counter(answer.text for answer in answers if answer.status_code != 200)}"
            )
            bodies = [answer.json() for answer in answers]
            successors = {body["refresh_token"] for body in bodies}
            assert len(successors) == 1, f"round {number}: {len(successors)} successors"
            tokens = {body["access_token"] for body in bodies}
            assert len(tokens) == MANY, f"round {number}: an access token was issued twice"
            claims = [payload(token) for token in tokens]
            assert len({claim["jti"] for claim in claims}) == MANY
            assert {claim["jti"].partition(".")[0] for claim in claims} == {grant}
            assert {claim["aud"] for claim in claims} == {API}
            assert successors != {newest}
            newest = successors.pop()
        last = await everybody.one(1, grant_type="refresh_token", refresh_token=newest)
        assert last.status_code == 200, last.text
        assert app.introspect(last.json()["access_token"])["active"] is True


async def crossing_rounds(fleet: Fleet, app: App, rounds: int, *, email: str = "bob@example.com") -> None:
    """The first client with the successor uses it at once, while the others still use its parent: all continue."""
    async with crowd(fleet, app) as everybody:
        code, attempt = await everybody.code(email, SCOPE)
        first = await everybody.one(
            0, grant_type="authorization_code", code=code, code_verifier=attempt.verifier
        )
        newest: str = first.json()["refresh_token"]
        for number in range(rounds):
            answers, following = await everybody.crossing(newest)
            assert {answer.status_code for answer in answers} == {200}, f"round {number}"
            assert len({answer.json()["refresh_token"] for answer in answers}) == 1, f"round {number}"
            assert following.status_code == 200, f"round {number}: {following.text}"
            newest = following.json()["refresh_token"]


async def code_rounds(
    fleet: Fleet, app: App, rounds: int, *, email: str = "ada@example.com", tries: int = 1
) -> None:
    """Every client redeems one code at once: one succeeds, and because of the replay its tokens are revoked (R15).

    With more than one of `tries`, a client that gets 503 retries: no database accepts 64 changes of one row at once in every
    isolation level."""
    async with crowd(fleet, app) as everybody:
        for number in range(rounds):
            code, attempt = await everybody.code(email, SCOPE)
            fields = {"grant_type": "authorization_code", "code": code, "code_verifier": attempt.verifier}
            answers = await everybody.at_once(**fields)
            for number_of_try in range(1, tries):
                again = [place for place, answer in enumerate(answers) if answer.status_code == 503]
                assert all(answers[place].headers["retry-after"].isdigit() for place in again)
                await asyncio.sleep(0.1 * number_of_try * bool(again))
                asked = await asyncio.gather(*(everybody.one(place, **fields) for place in again))
                for place, answer in zip(again, asked, strict=True):
                    answers[place] = answer
            good = [answer for answer in answers if answer.status_code == 200]
            assert len(good) == 1, f"round {number}: redeemed {len(good)} times"
            rest = Counter((a.status_code, a.json()["error"]) for a in answers if a.status_code != 200)
            assert rest == {(400, "invalid_grant"): MANY - 1}, f"round {number}: {rest}"
            given = good[0].json()
            spent = await everybody.one(1, grant_type="refresh_token", refresh_token=given["refresh_token"])
            assert spent.status_code == 400, f"round {number}: a replayed code left a refresh token"
            assert app.introspect(given["access_token"]) == {"active": False}


async def late_rounds(fleet: Fleet, app: App, database: str, *, email: str = "ada@example.com") -> None:
    """The response was lost and the device slept for hours; then every client uses the parent at once: all get one successor, one
    line is written, and nobody is signed out."""
    async with crowd(fleet, app) as everybody:
        code, attempt = await everybody.code(email, SCOPE)
        first = await everybody.one(
            0, grant_type="authorization_code", code=code, code_verifier=attempt.verifier
        )
        parent: str = first.json()["refresh_token"]
        grant = payload(first.json()["access_token"])["jti"].partition(".")[0]
        lost = await everybody.one(1, grant_type="refresh_token", refresh_token=parent)
        store = await open_store(database, migrate=False)
        try:
            now = await _hours_ago(store, grant)
            # the second crowd comes within the window that the first one opened
            for _ in range(2):
                answers = await everybody.refreshing(parent)
                assert Counter(answer.status_code for answer in answers) == {200: MANY}
                assert {answer.json()["refresh_token"] for answer in answers} == {
                    lost.json()["refresh_token"]
                }
            found = await store.grants.refresh(grant)
            assert found is not None
            token, stored = found
            assert stored.ended_at is None
            assert token.late_at is not None
            assert token.late_at >= now
            lines = await store.audit.page(kind="refresh_token.repeated_late")
            assert [line.grant_id for line in lines].count(grant) == 1
        finally:
            await store.close()
        following = await everybody.one(
            2, grant_type="refresh_token", refresh_token=lost.json()["refresh_token"]
        )
        assert following.status_code == 200, following.text


async def _hours_ago(store: Store, grant: str) -> int:
    """Move the time of what was just spent hours into the past. Returns the real time."""
    found = await store.grants.refresh_of_person(grant)
    assert found is not None
    token, _, account = found
    assert account is not None
    older = [structs.replace(spent, at=spent.at - 40_000) for spent in token.recent]
    assert await store.commit(
        store.grants.spend_refresh(token, structs.replace(token, recent=tuple(older)), account)
    )
    return token.recent[0].at


async def device_rounds(fleet: Fleet, app: App, rounds: int) -> None:
    """Every client redeems one device code at once: one succeeds, and because of the replay its tokens are revoked (R35)."""
    grant = {"grant_type": GRANT_TYPE}
    person = Person(fleet.issuer)
    person.sign_in(person.open("/device"), "ada@example.com", PASSWORD)
    async with crowd(fleet, app) as everybody:
        for number in range(rounds):
            codes = await everybody.device(SCOPE)
            first, hurried, elsewhere = [
                (await everybody.one(client, **grant, device_code=codes["device_code"])).json()["error"]
                for client in (0, 0, 1)
            ]
            assert (first, hurried, elsewhere) == ("authorization_pending", "slow_down", "slow_down")
            page = person.open(f"/device?user_code={codes['user_code']}")
            page = person.press(page, "device-code")
            person.press(page, "consent", "allow")
            answers = await everybody.at_once(**grant, device_code=codes["device_code"])
            good = [answer for answer in answers if answer.status_code == 200]
            assert len(good) == 1, f"round {number}: redeemed {len(good)} times"
            rest = Counter((a.status_code, a.json()["error"]) for a in answers if a.status_code != 200)
            assert rest == {(400, "invalid_grant"): MANY - 1}, f"round {number}: {rest}"
            given = good[0].json()
            spent = await everybody.one(1, grant_type="refresh_token", refresh_token=given["refresh_token"])
            assert spent.status_code == 400, f"round {number}: a replayed code left a refresh token"
    person.close()
