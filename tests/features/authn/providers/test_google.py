"""Sign-in with Google, at a stand-in that refuses what Google refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.features.authn.providers.named import clock, named_journey
from tests.stand_ins.google import GoogleStandIn
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio
GRACE: dict[str, Any] = {"sub": "110169484474386276334", "email": "grace@gmail.com", "name": "Grace"}
WORK: dict[str, Any] = {"sub": "110169484474386270001", "email": "grace@example.com", "hd": "example.com"}
ELSEWHERE: dict[str, Any] = {"sub": "110169484474386270002", "email": "grace@example.org"}


def google(**values: Any) -> GoogleStandIn:
    return GoogleStandIn(
        clock=clock(), client_id="1-a.apps.googleusercontent.com", secret="GOCSPX-s", **values
    )


@pytest.mark.requirement(89)
@pytest.mark.parametrize("legacy", [True, False])
async def test_both_names_of_the_issuer_are_one(tmp_path: Path, legacy: bool) -> None:
    """Older endpoints name the issuer without https://: nobody becomes a stranger when Google changes it."""
    there = google(legacy_iss=legacy)
    async with named_journey(tmp_path, "google", there, email_domains=("*",)) as made:
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"
        there.legacy_iss = not legacy
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"
        grace = await made.account("grace@gmail.com")
        assert grace is not None
        (one,) = await made.front.store.external_identities.of_account(grace.id)
        assert (one.issuer, one.subject) == (there.issuer, GRACE["sub"])
        there.spoiled = {"iss": "accounts.google.com.evil.example"}
        await made.sign_in(made.front.browser(), **GRACE)
        assert await made.reasons() == ["ID token: iss is another issuer"]


@pytest.mark.requirement(92)
async def test_google_confirms_only_the_addresses_that_it_gives_out(tmp_path: Path) -> None:
    async with named_journey(tmp_path, "google", google(), email_domains=("*",)) as made:
        for person, confirmed in ((GRACE, True), (WORK, True), (ELSEWHERE, False)):
            page = await made.sign_in(made.front.browser(), **person)
            assert (page.path == "/account") is confirmed, person
            assert (await made.account(person["email"]) is not None) is confirmed
        lie = {"sub": "9", "email": "eve@gmail.com", "email_verified": False}
        assert (await made.sign_in(made.front.browser(), **lie)).path.startswith("/sign-in/address?")


@pytest.mark.requirement(92)
async def test_the_claim_decides_which_organization_may_sign_in(tmp_path: Path) -> None:
    there = google()
    async with named_journey(
        tmp_path, "google", there, email_domains=("*",), hosted_domains=("example.com",)
    ) as made:
        asked = there.asked(await made.leave(made.front.browser()))
        assert (asked["hd"], asked["prompt"]) == ("example.com", "select_account")
        assert (await made.sign_in(made.front.browser(), **WORK)).path == "/account"
        for person in (GRACE, {**WORK, "sub": "8", "hd": "example.com.evil.example"}):
            # whatever the hint in the request was: it can be taken out on the way
            page = await made.sign_in(made.front.browser(), **person)
            assert page.path.startswith("/sign-in/provider?said=not_allowed")
            assert "can't be used here" in (page.problem or "").replace("’", "'")
        assert await made.reasons() == ["ID token: hd is no hosted domain of the settings"] * 2


async def test_a_confirmation_at_google_shows_nothing_that_is_new(tmp_path: Path) -> None:
    """Google refuses `prompt=login` and says no `auth_time`: a change on the account pages needs something else."""
    there = google()
    async with named_journey(tmp_path, "google", there, email_domains=("*",)) as made:
        tab = made.front.browser()
        assert (await made.sign_in(tab, **GRACE)).path == "/account"
        made.front.clock.time += 3600
        page = await tab.on(await tab.get("/account/connect"))
        page = await tab.on(await tab.submit(page, "confirm-other"))
        back = there.approved(sent_to(await tab.submit(page, "provider-google")), **GRACE)
        assert (await made.arrive(tab, back)).path.startswith("/sign-in/provider?said=not_recent")
        assert there.refused == []
