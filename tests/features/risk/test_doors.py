"""Other doors and sources of risk: providers, passkeys, breached passwords, proxies, and the check of `doorward doctor`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from doorward.core.model.finding import Finding
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.section import Sections
from doorward.features.feature import Examined
from doorward.features.places.build import places
from doorward.features.places.settings import PlacePolicy
from doorward.features.risk.checks import policy
from doorward.features.risk.settings import RiskPolicy
from doorward.ops.doctor.checks.addresses import addresses
from doorward.settings.tree import MailSettings
from doorward.storage.sql.store import Store
from tests.browsing import PASSWORD
from tests.containers import CHEAP_HASHING
from tests.features import made
from tests.features.authn.factors.passkeys.served import enrol, use
from tests.features.authn.providers.journey import BOB, journey
from tests.features.risk.watched import (
    BERLIN,
    LISBON,
    OTHER_AGENT,
    assessed,
    at_home,
    cities,
    mailed_code,
    stranger,
    watched,
)
from tests.trusting import sign_out_of

pytestmark = pytest.mark.anyio


async def test_who_comes_from_a_provider_is_asked_too(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "places": PlacePolicy(database=str(cities(tmp_path))),
        "mail": MailSettings(host="127.0.0.1", sender="auth@example.com"),
    }
    async with journey(tmp_path, more=more) as there:
        front = there.front
        front.services.get(places).refresh()
        home = front.browser(LISBON)
        assert (await there.sign_in(home, **BOB)).path == "/account"
        sign_out_of(home)
        front.clock.time += 86_400
        assert (await there.sign_in(home, **BOB)).path == "/account"
        away = front.browser(BERLIN)
        away.user_agent = OTHER_AGENT
        page = await there.sign_in(away, **BOB)
        assert page.path.startswith("/sign-in/code"), page.words
        done = await away.submit(page, "second-factor", code=await mailed_code(front))
        assert done.header("location") == "/account", done.words


async def test_a_passkey_answers_every_question_by_itself(tmp_path: Path) -> None:
    async with watched(tmp_path, policy=RiskPolicy(new_country="ask_phishing_resistant")) as front:
        ada = await front.person()
        home = await at_home(front)
        key = await enrol(front, ada)
        tab = stranger(front)
        done = await use(tab, await tab.on(await tab.get("/sign-in/passkey")), key)
        assert done.header("location") == "/account", done.words
        (line,) = await assessed(front)
        assert line.detail["verdict"] == "ask_phishing_resistant"
        assert (await home.sign_in()).header("location") is not None


async def test_a_password_that_became_known_is_asked_about_on_new_devices(tmp_path: Path) -> None:
    listed = tmp_path / "breached.txt"
    listed.write_text(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper() + "\n")
    passwords = PasswordPolicy(
        threads=CHEAP_HASHING.threads,
        memory_kib=CHEAP_HASHING.memory_kib,
        iterations=CHEAP_HASHING.iterations,
        breached_list=str(listed),
    )
    async with watched(tmp_path, passwords=passwords) as front:
        await front.person()
        tab = stranger(front, "20.4.4.4")
        assert (await tab.sign_in()).header("location") != "/account"
        (line,) = await front.audited("sign_in.password_breached")
        assert line.account_id == "usr_ada"
        assert PASSWORD not in str(line)
        assert (await assessed(front))[0].detail["reasons"] == ["breached_password"]


async def test_a_proxy_that_is_not_trusted_is_no_signal_for_people(tmp_path: Path) -> None:
    """A proxy's own address warns the operator, not people (zammad#1774): everybody comes from it."""
    async with watched(tmp_path, policy=RiskPolicy(accounts_per_address=1, spray_misses=1)) as front:
        await front.person()
        for number in range(3):
            await front.store.commit(
                front.store.accounts.insert(made.account(id=f"usr_{number}", email=f"p{number}@example.com"))
            )
            await stranger(front, "10.0.0.1").sign_in(f"p{number}@example.com", "wrong horse battery")
        for _ in range(2):
            assert (await stranger(front, "10.0.0.1").sign_in()).header("location") == "/account"
        assert await assessed(front) == []


async def test_a_proxys_own_address_warns_the_operator_and_mails_nobody(tmp_path: Path) -> None:
    """A proxy's own address warns the operator, not people (zammad#1774): a known device gets no notice, whichever proxy it comes through."""
    async with watched(tmp_path) as front:
        await front.person()
        home = front.browser("10.0.0.1")
        await home.sign_in()
        mailed = len(await front.store.messages.recent_mail(50))
        warned = None
        for address in ["10.0.0.1"] * 20 + ["10.0.0.2"]:
            warned = await addresses(front.settings, front.store)
            sign_out_of(home)
            front.clock.time += 3600
            home.address = address
            assert (await home.sign_in()).header("location") == "/account"
        assert len(await front.store.messages.recent_mail(50)) == mailed
        assert await assessed(front) == []
        assert warned is not None
        assert 'Set server.trusted_proxies = ["10.0.0.1"]' in warned.fix


async def test_nobody_is_asked_for_a_code_that_no_mail_brings(tmp_path: Path) -> None:
    async with watched(tmp_path, mail=MailSettings()) as front:
        await front.person()
        home = await at_home(front)
        assert (await stranger(front).sign_in()).header("location") == "/account"
        assert len(await assessed(front)) == 1
        await home.sign_in()
        page = await home.get("/account/activity")
        assert "A sign-in looked unusual" in page.words
        assert "asked" not in page.words, "nothing is said that was not done (R100)"


async def looked(store: Store, risk: RiskPolicy, **files: Any) -> Finding:
    sections = Sections([risk, PlacePolicy(**files)])
    return await policy(Examined(store=store, sections=sections, issuer=made.ISSUER, now=made.NOW))


async def test_doctor_says_what_the_policy_cannot_do(store: Store) -> None:
    assert "without files there are no new_country" in (await looked(store, RiskPolicy())).said
    files = {"database": "a.mmdb", "hosting": ("h",), "anonymous": ("a",)}
    found = await looked(store, RiskPolicy(), **files)
    assert (found.ok, found.fix) == (True, "")
    assert "people are kept out on new_device" in (await looked(store, RiskPolicy(new_device="refuse"))).said
    assert (await looked(store, RiskPolicy(mode="off"))).said.startswith("off")


async def test_doctor_says_that_shadow_was_left_on(tmp_path: Path) -> None:
    async with watched(tmp_path, policy=RiskPolicy(mode="shadow")) as front:
        await front.person()
        await at_home(front)
        await stranger(front).sign_in()
        fresh = Examined(
            store=front.store, sections=front.services.sections, issuer=made.ISSUER, now=front.now
        )
        assert "more than 30 days" not in (await policy(fresh)).said
        later = Examined(
            store=front.store,
            sections=front.services.sections,
            issuer=made.ISSUER,
            now=front.now + 31 * 86_400,
        )
        assert "shadow has been on for more than 30 days" in (await policy(later)).said
