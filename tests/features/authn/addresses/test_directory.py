"""People of a directory whose entry has no address that is trusted: they prove one (`address = "required"`), or have an account without."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from doorward.core.model.config_snapshot import Role
from doorward.features.authn.directories.views import DirectoryProblem
from tests.features.authn.addresses.steps import ASKS, code_to, given, mails, proven
from tests.features.oauth.first_party.test_challenge_routes import APP, BEGIN, call
from tests.front_channel import Front, front_channel
from tests.slapd import PASSWORD, PEOPLE, Slapd, group, person, slapd
from tests.tabs import Tab

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    """Bob without an address, Cleo with one of a domain for which the directory is not trusted, and Dan with a trusted one."""
    load = "\n".join(
        (
            person("bob", cn="Bob Builder"),
            person("cleo", mail="Cleo@elsewhere.example"),
            person("dan", mail="dan@example.com"),
            group("staff", f"uid=bob,{PEOPLE}"),
        )
    )
    with slapd(tmp_path_factory.mktemp("corp"), load=load) as server:
        yield server


async def signs_in(front: Front, tab: Tab, name: str) -> str:
    """The path where the sign-in ends."""
    page = await tab.on(await tab.sign_in(email=name, password=PASSWORD))
    assert page.status == 200, page.words
    return page.path


@pytest.mark.requirement(90)
async def test_the_account_is_made_with_the_address_that_was_proven(corp: Slapd) -> None:
    sections = corp.settings(roles={"writer": ("staff",)}, lockout_threshold=0)
    async with front_channel(directories=sections) as front:
        store = front.store
        assert await store.commit(store.registry.put_role(Role("rol_writer", "writer", {}, front.now)))
        await front.services.config.refresh()
        tab = front.browser()
        page = await tab.on(await tab.sign_in(email="bob", password=PASSWORD))
        assert page.path.startswith(ASKS)
        assert "Example Corp" in page.words
        assert await store.accounts.page() == []
        assert not await front.audited("sign_in.failed"), "the password was right"
        assert (await proven(front, tab, page, "bob@example.net")).path == "/account"
        (bob,) = await store.accounts.page()
        assert (bob.email, bob.name, bob.role_names, bob.password_hash) == (
            "bob@example.net",
            "Bob Builder",
            ("writer",),
            None,
        )
        assert [line.detail for line in await front.audited("account.created")] == [
            {"by": "directory", "directory": "corp"}
        ]
        # from now on by either name, and the roles stay those of the directory
        for name in ("bob", "bob@example.net"):
            assert await signs_in(front, front.browser(), name) == "/account"
        assert (await store.accounts.page()) == [bob] or (await store.accounts.page())[0].role_names == (
            "writer",
        )


async def test_an_address_that_is_not_trusted_is_filled_in_and_a_trusted_one_is_not_asked_for(
    corp: Slapd,
) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        tab = front.browser()
        page = await tab.on(await tab.sign_in(email="cleo", password=PASSWORD))
        assert page.forms["give-address"].fields["email"] == "cleo@elsewhere.example"
        assert await signs_in(front, front.browser(), "dan") == "/account"
        assert [one.email for one in await front.store.accounts.page()] == ["dan@example.com"]


@pytest.mark.requirement(80, 89)
async def test_an_address_of_somebody_else_is_theirs(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        ada = await front.person()
        words: list[str] = []
        for name, email in (("bob", "ada@example.com"), ("cleo", "eve@example.com")):
            tab = front.browser()
            page = await tab.on(await tab.sign_in(email=name, password=PASSWORD))
            words.append((await given(tab, page, email)).words.replace(email, "X"))
        assert words[0] == words[1]
        assert await mails(front, "ada@example.com") == ["address_in_use"]
        assert await front.store.accounts.factors(ada.id) == []


async def test_optional_makes_an_account_without_one_and_required_asks_it_later(corp: Slapd) -> None:
    sections = corp.settings(address="optional", lockout_threshold=0)
    async with front_channel(directories=sections) as front:
        assert await signs_in(front, front.browser(), "bob") == "/account"
        (bob,) = await front.store.accounts.page()
        assert bob.email is None
        asking = front_channel(directories=corp.settings(lockout_threshold=0))
        async with asking as other:
            # the same rule on an account that was there before
            assert await other.store.commit(other.store.accounts.insert(bob))
            rows = await front.store.accounts.factors(bob.id)
            (identity,) = await front.store.external_identities.of_account(bob.id)
            assert await other.store.commit(
                other.store.accounts.add_factor(rows[0]), other.store.external_identities.insert(identity)
            )
            tab = other.browser()
            page = await tab.on(await tab.sign_in(email="bob", password=PASSWORD))
            assert page.path.startswith(ASKS)
            assert (await proven(other, tab, page, "bob@example.net")).path == "/account"
            (same,) = await other.store.accounts.page()
            assert (same.id, same.email) == (bob.id, "bob@example.net")


@pytest.mark.requirement(85)
async def test_apps_that_sign_in_by_json_are_sent_to_the_page(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        await front.register(APP)
        answer = await call(front, {**BEGIN, "username": "bob", "password": PASSWORD})
        assert (answer["status"], answer["error"]) == (400, "redirect_to_web") or answer[
            "error"
        ] == "redirect_to_web"
        assert "address" in answer["error_description"]
        wrong = await call(front, {**BEGIN, "username": "bob", "password": "wrong"})
        assert wrong["error"] == "access_denied"
        assert await front.store.accounts.page() == []


async def test_nobody_is_asked_while_an_older_program_runs(corp: Slapd) -> None:
    """It has no such pages, and would drop the mail with the code."""
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, 1)"
        await front.store._db.apply(((old, (), None),))
        page = await front.browser().sign_in(email="bob", password=PASSWORD)
        assert page.problem == DirectoryProblem.UNAVAILABLE.words[0].replace("’", "'")


async def test_a_code_of_one_way_is_not_one_of_another(corp: Slapd, tmp_path: Path) -> None:
    """The row of who waits has no code that could be typed, and is bound to its browser."""
    del tmp_path
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        tab, thief = front.browser(), front.browser("203.0.113.9")
        page = await tab.on(await tab.sign_in(email="bob", password=PASSWORD))
        check = await given(tab, page, "bob@example.net")
        code = await code_to(front, "bob@example.net")
        for path in (page.path, check.path):
            stolen = await thief.on(await thief.get(path))
            assert "example.net" not in stolen.words
            assert stolen.path.startswith("/sign-in")
            assert not stolen.path.startswith(ASKS)
        ticket = page.path.partition("ticket=")[2].partition("&")[0]
        form = {**check.forms["check"].fields, "code": code}
        odd = await tab.on(await tab.post(f"/sign-in/address/check?ticket={ticket}", form))
        assert odd.status == 200
        assert await front.store.accounts.page() == []
