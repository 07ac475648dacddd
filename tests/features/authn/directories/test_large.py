"""A large directory: 10,000 people, and 200 groups, each in the next."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.build import directories
from doorward.features.authn.directories.client import AT_ONCE
from doorward.features.authn.directories.rules.names import typed_name
from tests.front_channel import front_channel
from tests.slapd import GROUPS, PASSWORD, PEOPLE, Slapd, group, person, slapd

pytestmark = pytest.mark.anyio
MANY = 10_000


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    """Its first person is in the innermost group."""
    people = [person(f"p{number}", mail=f"p{number}@example.com") for number in range(MANY)]
    groups = [group("g0", f"uid=p0,{PEOPLE}")]
    groups += [group(f"g{number}", f"cn=g{number - 1},{GROUPS}") for number in range(1, 200)]
    with slapd(tmp_path_factory.mktemp("corp"), load="\n".join([*people, *groups])) as server:
        yield server


async def test_200_nested_groups_take_at_most_two_searches(
    corp: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dex#4289."""
    async with front_channel(directories=corp.settings(roles={"reader": ("g199",)})) as front:
        directory = front.services.get(directories)["corp"]
        name = typed_name("p0")
        assert name is not None
        found = await directory.find(name)
        assert found is not None
        asked: list[str] = []
        search = directory.pool.search

        async def counted(base: str, query: str, *args: Any, **more: Any) -> list[LdapEntry]:
            asked.append(query)
            return await search(base, query, *args, **more)

        monkeypatch.setattr(directory.pool, "search", counted)
        assert len(await directory.groups(found)) == 200
        assert len(asked) == 2
        assert await directory.roles(found) == {"reader"}
        # the groups in groups are known for a minute
        assert len(asked) == 3


async def test_10000_people_are_counted_in_pages_and_found_by_the_hundred(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings()) as front:
        directory = front.services.get(directories)["corp"]
        assert await directory.count(most=100_000) == MANY
        names = [typed_name(f"p{number}") for number in range(3)]
        people = [await directory.find(name) for name in names if name is not None]
        uids = [one.uid for one in people if one is not None]
        assert set(await directory.by_uids([*uids, *["nobody"] * (AT_ONCE - 3)])) == set(uids)
        page = await front.browser().sign_in(email="p9999", password=PASSWORD)
        assert page.status == 303, page.words
