"""Active Directory, by a domain controller of Samba: names, states, groups, and an account that is disabled."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from doorward.core.model.config_snapshot import Role
from doorward.features.authn.directories.build import directories, recheck_directories
from doorward.features.authn.directories.examine import examine_directory
from doorward.features.authn.directories.views import DirectoryProblem
from tests.front_channel import Front, front_channel
from tests.samba import PASSWORD, Domain, samba

pytestmark = [pytest.mark.anyio, pytest.mark.soak]


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Generator[Domain]:
    """A domain with Ada, who is in a group in a group, and others who may not sign in."""
    with samba(tmp_path_factory.mktemp("samba")) as made:
        made.user("ada", "--mail-address=ada@example.com", "--given-name=Ada")
        made.user("disabled")
        made.run("user", "disable", "disabled")
        made.user("initial", "--must-change-at-next-login")
        made.user("former")
        made.run("user", "setexpiry", "former", "--days=0")
        made.user("stale")
        made.expire("stale")
        for name in ("inner", "outer"):
            made.run("group", "add", name)
        made.run("group", "addmembers", "inner", "ada")
        made.run("group", "addmembers", "outer", "inner")
        yield made


async def _signs_in(front: Front, name: str, password: str = PASSWORD) -> str:
    page = await front.browser().sign_in(email=name, password=password)
    return "" if page.status == 303 else page.problem or page.words


async def test_a_person_signs_in_by_every_name_of_active_directory(domain: Domain) -> None:
    async with front_channel(directories=domain.settings(roles={"auditor": ("outer",)})) as front:
        assert await front.store.commit(
            front.store.registry.put_role(Role("rol_auditor", "auditor", {}, front.now))
        )
        await front.services.config.refresh()
        for name in ("ada", "ada@corp.example.com", "CORP\\ada", "corp\\ADA", "ada@example.com"):
            assert await _signs_in(front, name) == "", name
        assert "don't match" in await _signs_in(front, "OTHER\\ada")
        assert "don't match" in await _signs_in(front, "ada", "wrong")
        (ada,) = await front.store.accounts.page()
        # by the rule that follows groups in groups (1.2.840.113556.1.4.1941)
        assert (ada.email, ada.role_names) == ("ada@example.com", ("auditor",))
        found = await examine_directory(front.services.get(directories)["corp"])
        assert found.problem is None
        # the clock of the test stands still, and the controller's is right
        assert "its clock differs" in found.warnings[0]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("disabled", DirectoryProblem.DISABLED),
        ("former", DirectoryProblem.DISABLED),
        ("initial", DirectoryProblem.MUST_CHANGE),
        ("stale", DirectoryProblem.EXPIRED),
    ],
)
async def test_states_are_told_apart_after_a_right_password_only(
    domain: Domain, name: str, problem: DirectoryProblem
) -> None:
    """Adldap2#391: data 533, 701, 773, 532, and 52e."""
    async with front_channel(directories=domain.settings()) as front:
        assert await _signs_in(front, name) == problem.words[0]
        assert "don't match" in await _signs_in(front, name, "wrong")
        assert await front.store.accounts.page() == []


@pytest.mark.requirement(72)
async def test_who_is_disabled_there_is_signed_out_here(domain: Domain) -> None:
    domain.user("eve", "--mail-address=eve@example.com")
    async with front_channel(directories=domain.settings()) as front:
        assert await _signs_in(front, "eve") == ""
        assert await _signs_in(front, "ada") == ""
        domain.run("user", "disable", "eve")
        recheck = front.services.get(recheck_directories)
        done = await recheck.recheck(front.services.get(directories)["corp"])
        assert (done.asked, done.suspended, done.complete) == (2, 1, True)
        eve = await front.store.accounts.by_email("eve@example.com")
        assert eve is not None
        assert not await front.store.sessions.live_of(eve.id, front.now)
        domain.run("user", "enable", "eve")
        assert await _signs_in(front, "eve") == ""


async def test_starttls_works_too(domain: Domain) -> None:
    async with front_channel(directories=domain.settings(urls=("ldap://127.0.0.1",))) as front:
        assert await _signs_in(front, "ada") == ""
