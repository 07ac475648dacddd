"""Sign-in with the password of a directory, by the pages and by JSON, against OpenLDAP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from doorward.adapters.ldap import pool
from doorward.core.model.config_snapshot import Role
from doorward.core.model.secret import Secret
from doorward.features.authn.directories.build import directories, recheck_directories
from doorward.features.authn.directories.rules.names import typed_name
from doorward.features.authn.directories.rules.proof import KIND
from doorward.features.authn.directories.views import DirectoryProblem
from tests.browsing import PASSWORD as LOCAL
from tests.features.authn.directories.signing import signs_in
from tests.front_channel import front_channel
from tests.slapd import BASE, GROUPS, PASSWORD, PEOPLE, Slapd, group, person, slapd

pytestmark = pytest.mark.anyio


async def test_a_first_sign_in_creates_an_account_and_a_later_one_finds_it(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings()) as front:
        for typed in ("bob", " BOB ", "bob@example.com", "Bob@EXAMPLE.com"):
            assert await signs_in(front, typed) == ""
        (bob,) = await front.store.accounts.page()
        assert (bob.email, bob.name, bob.given_name) == ("bob@example.com", "Bob Builder", "Bob")
        # no copy of the password, not even as a hash
        assert bob.password_hash is None
        (row,) = await front.store.accounts.factors(bob.id)
        assert (row.kind, row.sealed) == (KIND, None)
        sessions = await front.store.sessions.live_of(bob.id, front.now)
        assert [(one.acr, one.amr) for one in sessions] == [("urn:doorward:aal1", ("pwd",))] * 4
        assert [line.detail["by"] for line in await front.audited("account.created")] == ["directory"]


@pytest.mark.requirement(80)
async def test_wrong_unknown_and_local_names_are_answered_alike(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings()) as front:
        await front.person()
        said = {
            await signs_in(front, name, "wrong password")
            for name in ("bob", "bob@example.com", "nobody", "nobody@example.com", "ada@example.com")
        }
        assert said == {"That email and password don't match."}
        # the local account keeps its own password
        assert await signs_in(front, "ada@example.com", LOCAL) == ""


async def test_an_empty_password_never_binds(corp: Slapd) -> None:
    """An unauthenticated bind succeeds in many directories (RFC 4513 §5.1.2), and would sign anybody in; a NUL ends the password
    early in some."""
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        assert await signs_in(front, "bob", "") != ""
        assert "don't match" in await signs_in(front, "bob", "x" * 5000)
        assert "don't match" in await signs_in(front, "bob", PASSWORD + " ")
        directory = front.services.get(directories)["corp"]
        name = typed_name("bob")
        assert name is not None
        bob = await directory.find(name)
        assert bob is not None
        for none in ("", "\0", "\0x", PASSWORD + "\0", "\ud800"):
            assert await directory.check(bob, Secret(none)) == "wrong"
        with pytest.raises(ValueError, match="a bind needs"):
            await directory.pool.bind(bob.dn, Secret(""))
        assert await front.store.accounts.page() == []


@pytest.mark.parametrize("typed", ["*", "b*", "bob)(uid=*", "*)(objectClass=*", "bob\\2a", "(|(uid=bob))"])
async def test_nothing_typed_is_syntax_of_a_filter(corp: Slapd, typed: str) -> None:
    async with front_channel(directories=corp.settings()) as front:
        assert "don't match" in await signs_in(front, typed)
        assert await front.store.accounts.page() == []


async def test_a_renamed_entry_stays_the_same_person(corp: Slapd) -> None:
    """nextcloud#8764: the identity is entryUUID, never the DN, the name or the address."""
    async with front_channel(directories=corp.settings()) as front:
        assert await signs_in(front, "bob") == ""
        corp.rename(f"uid=bob,{PEOPLE}", "uid=robert")
        corp.set(f"uid=robert,{PEOPLE}", mail="robert@example.com", cn="Robert Builder")
        assert await signs_in(front, "robert") == ""
        (bob,) = await front.store.accounts.page()
        assert (bob.email, bob.name) == ("bob@example.com", "Robert Builder")
        # by the address that the account has, too, although the directory knows another one now
        assert await signs_in(front, "bob@example.com") == ""
        # whoever gets the old name is somebody else, and so has another address
        corp.add(person("bob", mail="bob@example.com"))
        assert DirectoryProblem.TAKEN.words[0] in await signs_in(front, "bob")
        assert len(await front.store.accounts.page()) == 1


@pytest.mark.requirement(89)
async def test_an_account_with_the_address_is_never_taken_over(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings()) as front:
        ada = await front.person()
        corp.add(person("ada", mail="ada@example.com"))
        assert await signs_in(front, "ada") == DirectoryProblem.TAKEN.words[0]
        assert await signs_in(front, "ada@example.com") == DirectoryProblem.TAKEN.words[0]
        assert await front.store.accounts.factors(ada.id) == []
        assert await signs_in(front, "ada@example.com", LOCAL) == ""


async def test_expired_and_must_change_are_told_apart_after_a_right_password_only(corp: Slapd) -> None:
    """Adldap2#391, with the control of OpenLDAP's password policy."""
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        corp.set(f"cn=policy,{BASE}", pwdMaxAge="1")
        corp.set(f"uid=bob,{PEOPLE}", userPassword=PASSWORD)
        await asyncio.sleep(2.1)  # the directory's own clock decides, in seconds
        try:
            assert await signs_in(front, "bob", "wrong") == "That email and password don't match."
            assert await signs_in(front, "bob") == DirectoryProblem.EXPIRED.words[0]
        finally:
            corp.set(f"cn=policy,{BASE}", pwdMaxAge="0")
        corp.set(f"cn=policy,{BASE}", pwdMustChange="TRUE")
        corp.set(f"uid=bob,{PEOPLE}", pwdReset="TRUE")
        assert await signs_in(front, "bob", "wrong") == "That email and password don't match."
        assert await signs_in(front, "bob") == DirectoryProblem.MUST_CHANGE.words[0]
        corp.set(f"cn=policy,{BASE}", pwdMustChange="FALSE")
        assert await front.store.accounts.page() == []


@pytest.mark.requirement(72)
async def test_who_is_gone_from_the_directory_is_signed_out_and_stays_out(corp: Slapd) -> None:
    corp.add(person("eve", mail="eve@example.com"))
    async with front_channel(directories=corp.settings()) as front:
        assert await signs_in(front, "bob") == await signs_in(front, "eve") == ""
        recheck = front.services.get(recheck_directories)
        directory = front.services.get(directories)["corp"]
        assert (await recheck.recheck(directory)).suspended == 0
        corp.delete(f"uid=bob,{PEOPLE}")
        done = await recheck.recheck(directory)
        assert (done.asked, done.suspended, done.complete) == (2, 1, True)
        bob = await front.store.accounts.by_email("bob@example.com")
        eve = await front.store.accounts.by_email("eve@example.com")
        assert bob is not None
        assert eve is not None
        assert bob.disabled_at is not None
        assert not await front.store.sessions.live_of(bob.id, front.now)
        assert len(await front.store.sessions.live_of(eve.id, front.now)) == 1
        (line,) = await front.audited("account.disabled")
        assert (line.detail["by"], line.detail["reason"]) == ("directory", "gone")


async def test_who_comes_back_is_let_in_again_unless_an_operator_disabled_them(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings()) as front:
        assert await signs_in(front, "bob") == ""
        recheck = front.services.get(recheck_directories)
        directory = front.services.get(directories)["corp"]
        corp.set(f"uid=bob,{PEOPLE}", pwdAccountLockedTime="000001010000Z")
        assert (await recheck.recheck(directory)).suspended == 1
        assert await signs_in(front, "bob") == DirectoryProblem.DISABLED.words[0]
        corp.clear(f"uid=bob,{PEOPLE}", "pwdAccountLockedTime")
        assert await signs_in(front, "bob") == ""
        (bob,) = await front.store.accounts.page()
        disabled = structs.replace(bob, disabled_at=front.now)
        assert await front.store.commit(front.store.accounts.replace(disabled, old=bob))
        assert "disabled" in await signs_in(front, "bob")
        await recheck.recheck(directory)
        (bob,) = await front.store.accounts.page()
        assert bob.disabled_at == front.now


@pytest.mark.requirement(72)
async def test_who_is_no_more_among_the_people_of_the_filter_is_out_by_every_name(corp: Slapd) -> None:
    """Attack: `person_filter` lets in some of the directory's people, and one of them is none of those any more. The address leads to
    their account, whose entry is found by its identity: the filter has to hold there, too."""
    corp.add(person("eve", mail="eve@example.com", title="in"))
    corp.set(f"uid=bob,{PEOPLE}", title="in")
    sections = corp.settings(person_filter="(&(objectClass=inetOrgPerson)(title=in))", lockout_threshold=0)
    async with front_channel(directories=sections) as front:
        assert [await signs_in(front, name) for name in ("bob", "eve")] == ["", ""]
        corp.set(f"uid=bob,{PEOPLE}", title="out")
        for typed in ("bob", "bob@example.com"):
            assert "don't match" in await signs_in(front, typed), typed
        recheck = front.services.get(recheck_directories)
        done = await recheck.recheck(front.services.get(directories)["corp"])
        assert (done.asked, done.suspended, done.complete) == (2, 1, True)
        bob = await front.store.accounts.by_email("bob@example.com")
        assert bob is not None
        assert not await front.store.sessions.live_of(bob.id, front.now)


async def test_a_directory_that_finds_nobody_at_all_ends_nobody(corp: Slapd) -> None:
    """A wrong base, or a service account without rights, looks the same as a directory from which everybody is gone."""
    async with front_channel(directories=corp.settings()) as front:
        assert await signs_in(front, "bob") == ""
        recheck = front.services.get(recheck_directories)
        directory = front.services.get(directories)["corp"]
        corp.delete(f"uid=bob,{PEOPLE}")
        done = await recheck.recheck(directory)
        assert (done.suspended, done.complete) == (0, False)


async def test_an_answer_that_the_server_cuts_ends_nobody(tmp_path: Path) -> None:
    """A server limits how many entries a search finds. Those beyond the limit are there, though the answer does not have them."""
    people = [f"p{number}" for number in range(4)]
    load = "\n".join(person(uid, mail=f"{uid}@example.com") for uid in people)
    with slapd(tmp_path, load=load) as server:
        async with front_channel(directories=server.settings(lockout_threshold=0)) as front:
            assert [await signs_in(front, uid) for uid in people] == [""] * 4
            server.kill()
            config = server.folder / "slapd.conf"
            config.write_text(config.read_text().replace("size.prtotal=unlimited", "size.prtotal=2"))
            server.start()
            done = await front.services.get(recheck_directories).recheck(
                front.services.get(directories)["corp"]
            )
            assert (done.suspended, done.complete) == (0, False)
            assert [one.disabled_at for one in await front.store.accounts.page()] == [None] * 4


async def test_a_server_that_is_down_ends_nobody_and_comes_back(
    corp: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PAUSE", 0.0)
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        await front.person()
        assert await signs_in(front, "bob") == ""
        corp.kill()
        said = {await signs_in(front, name, "wrong") for name in ("bob", "nobody", "ada@example.com")}
        assert said == {DirectoryProblem.UNAVAILABLE.words[0]}
        assert await signs_in(front, "ada@example.com", LOCAL) == ""
        recheck = front.services.get(recheck_directories)
        assert not (await recheck.recheck(front.services.get(directories)["corp"])).complete
        (bob, _) = sorted(await front.store.accounts.page(), key=lambda one: one.email != "bob@example.com")
        assert bob.disabled_at is None
        corp.start()
        assert await signs_in(front, "bob") == ""


async def test_a_hanging_server_slows_nobody_else(corp: Slapd) -> None:
    """authentik#1764: local people and the event loop go on while those of the directory wait."""
    async with front_channel(directories=corp.settings(timeout=60, lockout_threshold=0)) as front:
        await front.person()
        assert await signs_in(front, "bob") == ""
        corp.freeze()
        try:
            waiting = [asyncio.create_task(signs_in(front, "bob")) for _ in range(6)]
            await asyncio.sleep(0.1)
            assert await signs_in(front, "ada@example.com", LOCAL) == ""
            assert not any(task.done() for task in waiting)
        finally:
            corp.thaw()
        assert set(await asyncio.gather(*waiting)) == {""}


async def test_people_of_a_hanging_server_hear_of_it_and_nobody_waits_for_it_again(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(timeout=1, lockout_threshold=0)) as front:
        assert await signs_in(front, "bob") == ""
        corp.freeze()
        try:
            waiting = [asyncio.create_task(signs_in(front, "bob")) for _ in range(6)]
            assert set(await asyncio.gather(*waiting)) == {DirectoryProblem.UNAVAILABLE.words[0]}
            assert front.services.get(directories)["corp"].pool.shut
        finally:
            corp.thaw()


@pytest.mark.requirement(72)
async def test_roles_follow_the_groups_and_no_other_role_is_touched(corp: Slapd) -> None:
    bob = f"uid=bob,{PEOPLE}"
    corp.add(group("inner", bob), group("outer", f"cn=inner,{GROUPS}"))
    roles = {"auditor": (f"CN=Outer, {GROUPS}",), "writer": ("inner", "others")}
    async with front_channel(directories=corp.settings(roles=roles)) as front:
        store = front.store
        named = [Role(f"rol_{name}", name, {}, front.now) for name in ("auditor", "writer", "boss")]
        assert await store.commit(*(store.registry.put_role(role) for role in named))
        await front.services.config.refresh()
        assert await signs_in(front, "bob") == ""
        (account,) = await store.accounts.page()
        assert set(account.role_names) == {"auditor", "writer"}
        # by an operator: no mapping gave it, so none takes it away, and a group of its name gives nothing
        more = structs.replace(account, role_names=(*account.role_names, "boss"))
        assert await store.commit(store.accounts.replace(more, old=account))
        corp.delete(f"cn=inner,{GROUPS}")
        corp.add(group("boss", bob), group("others", bob))
        await front.services.get(recheck_directories).recheck(front.services.get(directories)["corp"])
        (account,) = await store.accounts.page()
        assert set(account.role_names) == {"writer", "boss"}
