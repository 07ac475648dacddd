"""What the owner of an account sees and does of a directory: connecting it, and a password that is not kept here."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.features.admin.build import factors as factors_admin
from doorward.features.admin.build import people as people_admin
from doorward.features.admin.error import AdminError
from doorward.features.authn.directories.rules.proof import KIND
from doorward.features.authn.factors.password.build import check_password
from tests.browsing import PASSWORD as LOCAL
from tests.features.admin.managing import OPERATOR
from tests.front_channel import Front, front_channel
from tests.racing import before_commit
from tests.slapd import PASSWORD, PEOPLE, Slapd, person, slapd
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
CONNECT = "/account/methods/directory"


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Generator[Slapd]:
    """A directory with Ada, whose address an account here has, Bob."""
    ada = person("lovelace", mail="ada@example.com")
    with slapd(
        tmp_path_factory.mktemp("corp"), load=f"{ada}\n{person('bob', mail='bob@example.com')}"
    ) as server:
        yield server


async def _connect(tab: Tab, name: str, password: str) -> str:
    page = await tab.on(await tab.get(CONNECT))
    page = await tab.on(await tab.submit(page, "directory-connect", identifier=name, password=password))
    return page.problem or page.words


@pytest.mark.requirement(94)
async def test_a_sign_in_at_the_moment_of_the_connection_ends_with_the_password(
    corp: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0127-a-sign-in-kept-a-passkey-from-being-removed.md"""
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        ada = await front.person()
        tab = await front.signed_in()
        made = before_commit(monkeypatch, "INSERT INTO external_identities", front.signed_in, times=1)
        assert "connected" in await _connect(tab, "lovelace", PASSWORD)
        assert made == [False, True]
        assert len(await front.store.sessions.live_of(ada.id, front.now)) == 1


@pytest.mark.requirement(73, 89)
async def test_the_owner_connects_the_directory_and_the_local_password_is_gone(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        ada = await front.person()
        tab, other = await front.signed_in(), await front.signed_in()
        assert "don't match" in await _connect(tab, "lovelace", "wrong")
        assert "connected" in await _connect(tab, "lovelace", PASSWORD)
        stored = await front.store.accounts.get(ada.id)
        assert stored is not None
        assert stored.password_hash is None
        # a sign-in whose local password was found right just before does not count either
        assert stored.password_state != ada.password_state
        assert [row.kind for row in await front.store.accounts.factors(ada.id)] == [KIND]
        # this session goes on, another one by the former password does not
        assert (await tab.get("/account")).status == 200
        assert (await other.get("/account")).status == 303
        assert (await front.browser().sign_in(password=LOCAL)).problem
        for name in ("lovelace", "ada@example.com"):
            page = await front.browser().sign_in(email=name, password=PASSWORD)
            assert page.status == 303, page.words
        assert [line.detail["directory"] for line in await front.audited("directory.connected")] == ["corp"]
        mails = await front.store.messages.recent_mail(10)
        assert "provider_connected" in {mail.kind for mail in mails}


@pytest.mark.requirement(89)
async def test_an_identity_that_somebody_has_is_nobody_elses(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        assert (await front.browser().sign_in(email="bob", password=PASSWORD)).status == 303
        await front.person()
        assert "can't be connected" in await _connect(await front.signed_in(), "bob", PASSWORD)


async def test_no_password_is_set_changed_or_reset_here(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        tab = front.browser()
        assert (await tab.sign_in(email="bob", password=PASSWORD)).status == 303
        page = await tab.get("/account/methods")
        assert "Example Corp" in page.text
        assert 'id="password-change"' not in page.text
        asking = front.browser()
        await asking.submit(await asking.get("/reset"), "reset", email="bob@example.com")
        kinds = [mail.kind for mail in await front.store.messages.recent_mail(10)]
        assert "password_elsewhere" in kinds
        assert "reset_password" not in kinds
        shown = await front.services.get(factors_admin).find(OPERATOR, "bob@example.com")
        assert [(one.kind, one.name) for one in shown.held] == [(KIND, "Example Corp")]
        # a lost phone costs nobody the way in
        with pytest.raises(AdminError, match="factor_not_held"):
            await front.services.get(factors_admin).reset(OPERATOR, "bob@example.com")
        with pytest.raises(AdminError, match="person_password_elsewhere"):
            await front.services.get(people_admin).set_password(OPERATOR, "bob@example.com", Secret(LOCAL))


async def test_a_sensitive_change_asks_the_directory_for_the_password_again(corp: Slapd) -> None:
    async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
        tab = front.browser()
        assert (await tab.sign_in(email="bob", password=PASSWORD)).status == 303
        corp.rename(f"uid=bob,{PEOPLE}", "uid=robert")
        front.clock.time += 700
        page = await tab.on(await tab.get(CONNECT))
        assert page.path.startswith("/account/confirm")
        page = await tab.on(await tab.submit(page, "confirm", password=PASSWORD))
        assert page.path == CONNECT
        corp.rename(f"uid=robert,{PEOPLE}", "uid=bob")


@pytest.mark.requirement(77, 89)
async def test_a_signed_in_person_is_asked_for_no_password_but_their_own(corp: Slapd) -> None:
    """Attack: an entry of the directory has the address of an account that is not connected with it. Its password is none of the account's:
    not where it is confirmed, and not where a short one may not stand alone."""
    sections = corp.settings(email_domains=(), lockout_threshold=0)
    async with front_channel(directories=sections) as front:
        ada = await front.person()
        tab = await front.signed_in()
        front.clock.time += 700
        page = await tab.on(await tab.get(CONNECT))
        page = await tab.on(await tab.submit(page, "confirm", password=PASSWORD))
        assert page.path.startswith("/account/confirm"), page.path
        check = front.services.get(check_password)
        known = await check.verify(
            ada.known_as, Secret(PASSWORD), caller=Caller(), now=front.now, account_id=ada.id
        )
        assert isinstance(known, OAuthError)
        assert [one.id for one in await front.store.accounts.page()] == [ada.id]


async def _waits(front: Front, tab: Tab, name: str) -> bool:
    page = await tab.sign_in(email=name, password="wrong")
    return "Too many" in (page.problem or "")


@pytest.mark.requirement(81, 95)
async def test_a_stranger_locks_nobody_out_of_the_directory(corp: Slapd) -> None:
    """With a threshold of 5 the directory sees two wrong passwords, whatever the spelling, and the owner's own device has another count."""
    async with front_channel(directories=corp.settings(lockout_threshold=5)) as front:
        own = front.browser()
        assert (await own.sign_in(email="bob", password=PASSWORD)).status == 303
        await own.submit(await own.get("/logout"), "sign-out", confirm="yes")
        names = ("bob", "bob@example.com", "BOB", "bob")
        assert [await _waits(front, front.browser("198.51.100.7"), name) for name in names] == [
            False,
            False,
            True,
            True,
        ]
        # the same for a name that nobody has
        assert [await _waits(front, front.browser("198.51.100.7"), "nobody") for _ in range(3)] == [
            False,
            False,
            True,
        ]
        page = await own.sign_in(email="bob", password=PASSWORD)
        assert page.status == 303, page.problem
        # a right password from elsewhere has to wait, as any other
        assert "Too many" in ((await front.browser().sign_in(email="bob", password=PASSWORD)).problem or "")
        front.clock.time += 2 * 600 + 1
        assert (await front.browser().sign_in(email="bob", password=PASSWORD)).status == 303
