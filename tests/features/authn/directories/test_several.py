"""Several directories, one of them down: nobody learns which names there are (R80), and no password goes to another directory."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from doorward.adapters.ldap import pool
from doorward.adapters.ldap.pool import LdapPool
from doorward.features.authn.directories.settings import DirectoryPolicies
from doorward.features.authn.directories.views import DirectoryProblem
from tests.features.authn.directories.signing import signs_in
from tests.front_channel import front_channel
from tests.slapd import PASSWORD, Slapd, person, slapd

pytestmark = pytest.mark.anyio
DOWN = DirectoryProblem.UNAVAILABLE.words[0]
WRONG = "That email and password don't match."


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Slapd, Slapd]]:
    """Ann and Sam in the first one, Ben and another Sam in the second."""
    first = "\n".join((person("ann", mail="ann@example.com"), person("sam", mail="sam1@example.com")))
    second = "\n".join(
        (person("ben", mail="ben@example.com"), person("sam", password="the other", mail="sam2@example.com"))
    )
    with (
        slapd(tmp_path_factory.mktemp("one"), load=first) as one,
        slapd(tmp_path_factory.mktemp("two"), load=second) as other,
    ):
        yield one, other


def both(two: tuple[Slapd, Slapd]) -> DirectoryPolicies:
    names = zip(("one", "two"), two, strict=True)
    return DirectoryPolicies(by_name={name: each.policy(lockout_threshold=0) for name, each in names})


@pytest.mark.requirement(80)
async def test_known_and_unknown_names_cost_the_same_searches_and_binds(
    two: tuple[Slapd, Slapd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the calls, since times differ by chance: of a name in the first, in the second, in none, of a local and a connected account."""
    calls: list[str] = []
    for name in ("search", "bind"):
        own = getattr(LdapPool, name)

        async def counted(self: LdapPool, *args: Any, _own: Any = own, _name: str = name, **more: Any) -> Any:
            calls.append(_name)
            return await _own(self, *args, **more)

        monkeypatch.setattr(LdapPool, name, counted)
    async with front_channel(directories=both(two)) as front:
        await front.person()
        assert await signs_in(front, "ann@example.com") == ""
        seen: set[tuple[str, ...]] = set()
        for who in (
            "ann",
            "ann@example.com",
            "ben",
            "sam",
            "nobody",
            "nobody@example.com",
            "ada@example.com",
        ):
            calls.clear()
            assert await signs_in(front, who, "wrong password") == WRONG
            seen.add(tuple(sorted(calls)))
        assert seen == {("bind", "search", "search")}


@pytest.mark.requirement(80)
async def test_while_one_is_down_every_wrong_answer_is_the_same(
    two: tuple[Slapd, Slapd], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PAUSE", 0.0)
    names = ("ann", "ann@example.com", "ben", "sam", "nobody", "ada@example.com")
    async with front_channel(directories=both(two)) as front:
        await front.person()
        assert await signs_in(front, "ann") == await signs_in(front, "ben") == ""
        for down in two:
            down.kill()
            try:
                assert {await signs_in(front, who, "wrong password") for who in names} == {DOWN}
                # people of the one that answers go on, unless the one before it may have their name
                assert await signs_in(front, "ann") == ("" if down is two[1] else DOWN)
            finally:
                down.start()
        assert {await signs_in(front, who, "wrong password") for who in names} == {WRONG}


async def test_a_password_goes_to_no_directory_behind_one_that_is_down(
    two: tuple[Slapd, Slapd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sam of the first one types his password while the first is down: the second has another Sam, and must not see it."""
    monkeypatch.setattr(pool, "PAUSE", 0.0)
    bound: list[str] = []
    own = LdapPool.bind

    async def noted(self: LdapPool, dn: str, password: Any) -> Any:
        bound.append(password.reveal())
        return await own(self, dn, password)

    monkeypatch.setattr(LdapPool, "bind", noted)
    async with front_channel(directories=both(two)) as front:
        two[0].kill()
        try:
            assert await signs_in(front, "sam") == DOWN
            assert await signs_in(front, "sam", "the other") == DOWN
            assert await signs_in(front, "ben") == DOWN
            assert PASSWORD not in bound
            assert "the other" not in bound
            assert len(bound) == 3, "a decoy for each"
        finally:
            two[0].start()
        assert await signs_in(front, "sam") == ""
