"""The five known ways to prepare an account for a victim before they come ("Pre-hijacked accounts", USENIX Security 2022), one test each.

The attacker knows the victim's address and cannot read its mail. The victim comes by a provider that confirms the address.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from doorward.core.model.account import Account
from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage
from tests.browsing import PASSWORD, Page
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(89, 90, 94)]
EMAIL = BOB["email"]
MALLORY: dict[str, Any] = {"sub": "mallory-there"}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    # the widest that an operator can allow
    async with journey(tmp_path, address="optional") as opened:
        yield opened


async def prepared(there: Journey) -> tuple[Tab, Page]:
    """The attacker's browser, and its page on which a sign-up with the victim's address waits for its code."""
    tab = there.front.browser()
    page = await tab.on(await tab.get("/sign-up"))
    page = await tab.on(await tab.submit(page, "sign-up", email=EMAIL, password=PASSWORD, name="Bob"))
    assert await there.account(EMAIL) is None
    return tab, page


async def victim(there: Journey) -> Account:
    """The victim's account, which must be theirs alone."""
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"
    bob = await there.account(EMAIL)
    assert bob is not None
    assert bob.password_hash is None
    assert [one.subject for one in await there.front.store.external_identities.of_account(bob.id)] == [
        BOB["sub"]
    ]
    return bob


async def live(there: Journey, account: Account) -> int:
    return len(await there.front.store.sessions.live_of(account.id, there.front.now))


async def test_classic_federated_merge(there: Journey) -> None:
    """The attacker's password is in the account that the victim then enters by the provider."""
    await prepared(there)
    bob = await victim(there)
    assert (await there.front.browser().sign_in(EMAIL, PASSWORD)).status != 303
    assert await live(there, bob) == 1


async def test_unexpired_session(there: Journey) -> None:
    """The attacker keeps a session of the account from before the victim came."""
    tab, _ = await prepared(there)
    assert (await tab.on(await tab.get("/account"))).path.startswith("/sign-in")
    bob = await victim(there)
    assert (await tab.on(await tab.get("/account"))).path.startswith("/sign-in")
    assert await live(there, bob) == 1


async def test_trojan_identifier(there: Journey) -> None:
    """The attacker's own account elsewhere is connected to what becomes the victim's account."""
    tab, _ = await prepared(there)
    # of the widest policy they get an account of their own, without an address
    assert (await there.sign_in(tab, **MALLORY, email=EMAIL, email_verified=False)).path == "/account"
    bob = await victim(there)
    assert (await there.sign_in(there.front.browser(), **MALLORY)).path == "/account"
    assert await live(there, bob) == 1


async def test_unexpired_change_of_the_address(there: Journey) -> None:
    """A code or link that was asked for before works on the account of the victim afterwards."""
    tab, check = await prepared(there)
    page = await tab.on(await tab.get("/reset"))
    await tab.submit(page, "reset", email=EMAIL)
    sent = await there.front.store.messages.recent_mail(10)
    assert [(one.kind, one.to) for one in sent] == [("verify_address", EMAIL)], (
        "no code for an account that is not there"
    )
    bob = await victim(there)
    # even with the code of the waiting sign-up, which went to the victim's mailbox, nothing of the account changes
    mail = sent[0]
    opened = there.front.services.sealer.open(EMAIL_PURPOSE, mail.id, mail.sealed)
    code = msgspec.json.decode(opened, type=EmailMessage).code
    assert code is not None
    await tab.on(await tab.submit(check, "check", code=code))
    assert await there.front.store.accounts.get(bob.id) == bob
    assert await live(there, bob) == 1
    assert (await tab.on(await tab.get("/account"))).path.startswith("/sign-in")


async def test_non_verifying_provider(there: Journey) -> None:
    """A provider states the victim's address for the attacker, unproven, before or after the victim comes."""
    for said in (False, None, "no", 0, [True]):
        page = await there.sign_in(
            there.front.browser(), **{**MALLORY, "sub": f"mallory {said}"}, email=EMAIL, email_verified=said
        )
        assert page.path == "/account"
        assert await there.account(EMAIL) is None
    bob = await victim(there)
    page = await there.sign_in(there.front.browser(), sub="late", email=EMAIL, email_verified=False)
    assert page.path == "/account"
    assert await live(there, bob) == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "BOB@Example.NET",
        " bob@example.net ",
        "bob@EXAMPLE.net",
        "bob\uff20example.net",
        "bob@example.net\u200b",
    ],
)
async def test_another_spelling_of_an_address_is_the_same_address(there: Journey, spelling: str) -> None:
    """Case and Unicode variants: one account, whoever comes first."""
    bob = await victim(there)
    page = await there.sign_in(there.front.browser(), sub="variant", email=spelling, email_verified=True)
    assert "connected to another account of that service" in (page.problem or ""), page.words
    assert await live(there, bob) == 1


@pytest.mark.parametrize(
    "lookalike",
    ["b\u043eb@example.net", "\uff42ob@example.net", "bob@ex\u0430mple.net"],
)
async def test_an_address_that_looks_like_another_is_not_it(there: Journey, lookalike: str) -> None:
    """A letter of another script is another address, and a compatibility form none at all (RFC 8265 §3.3)."""
    bob = await victim(there)
    await there.sign_in(there.front.browser(), sub="lookalike", email=lookalike, email_verified=True)
    assert await there.front.store.accounts.get(bob.id) == bob
    assert await live(there, bob) == 1
    found = await there.front.store.external_identities.by_subject(there.provider.issuer, "lookalike")
    assert found is not None
    other = await there.front.store.accounts.get(found.account_id)
    assert other is not None
    assert other.email != EMAIL
