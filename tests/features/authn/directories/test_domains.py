"""Names that a directory is not asked for, and addresses that have another way in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.directories.build import directories, directory_people
from doorward.features.authn.directories.rules.names import typed_name
from doorward.features.authn.directories.views import DirectoryProblem
from doorward.features.authn.flow.build import offered_factors
from tests.features.authn.directories.signing import signs_in
from tests.features.authn.providers.journey import journey
from tests.front_channel import front_channel
from tests.slapd import PASSWORD, Slapd, person

pytestmark = pytest.mark.anyio


async def test_names_of_other_domains_are_not_asked_for(corp: Slapd) -> None:
    async with front_channel(
        directories=corp.settings(domains=("example.com",), address="optional")
    ) as front:
        corp.add(person("kim", mail="kim@elsewhere.example"))
        assert "don't match" in await signs_in(front, "kim@elsewhere.example")
        # nor is the directory trusted for that address: the person has none here
        assert await signs_in(front, "kim") == ""
        (kim,) = await front.store.accounts.page()
        assert (kim.email, kim.name) == (None, "Kim")


@pytest.mark.requirement(85)
async def test_a_login_name_is_no_way_around_a_domain_that_has_its_provider_alone(
    corp: Slapd, tmp_path: Path
) -> None:
    """Attack: the address is refused, since its people sign in at a provider. The login name of the same person in a directory finds the
    same account, and takes a password."""
    more: dict[str, Any] = {"directories": corp.settings(lockout_threshold=0)}
    async with journey(tmp_path, domains=("example.com",), only=True, more=more) as there:
        front = there.front
        tab = front.browser()
        for typed, said in (("bob", "don't match"), ("bob@example.com", "They need no password here")):
            page = await tab.get("/sign-in?with=password")
            page = await tab.submit(page, "sign-in", identifier=typed, password=PASSWORD)
            assert said in (page.problem or page.words), (typed, page.status)
        assert await front.store.accounts.page() == [], "nor is an account made for them"
        bob = {"sub": "bob-there", "email": "bob@example.com", "email_verified": True}
        await there.sign_in(front.browser(), **bob)
        (account,) = await front.store.accounts.page()
        directory, people = front.services.get(directories)["corp"], front.services.get(directory_people)
        name = typed_name("bob")
        assert name is not None
        found = await directory.find(name)
        assert found is not None
        row, identity = people.connection(account.id, directory, found, who="bob", now=front.now)
        writes = front.store.accounts.add_factor(row), front.store.external_identities.insert(identity)
        assert await front.store.commit(*writes)
        page = await tab.get("/sign-in?with=password")
        page = await tab.submit(page, "sign-in", identifier="bob", password=PASSWORD)
        assert "don't match" in (page.problem or page.words)
        # nor does it count as a way in, for which the connection could be removed
        factors = front.services.get(offered_factors)
        assert not await factors.way_in(account, [row])


async def test_nobody_without_an_address_is_made_while_an_older_program_runs(corp: Slapd) -> None:
    """An older program takes what stands for no address for one, and tells apps that it is confirmed."""
    sections = corp.settings(email_domains=(), address="optional", lockout_threshold=0)
    async with front_channel(directories=sections) as front:
        old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, 1)"
        await front.store._db.apply(((old, (), None),))
        assert await signs_in(front, "bob") == DirectoryProblem.UNAVAILABLE.words[0]
        assert await front.store.accounts.page() == []
        await front.store._db.apply((("DELETE FROM nodes WHERE id = 'nod_old'", (), None),))
        assert await signs_in(front, "bob") == ""
        assert await front.store.meta("schema.needs") is not None
