"""Sign-in by an account at an external provider: who is signed in, and every answer that must sign nobody in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.rules.identity import EXTERNAL
from tests.features import made
from tests.features.authn.providers.journey import ADA, BOB, Journey, journey
from tests.tabs import sent_to
from tests.upstream import new_key

pytestmark = pytest.mark.anyio


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


async def test_a_first_sign_in_creates_an_account_and_a_later_one_finds_it(there: Journey) -> None:
    page = await there.sign_in(there.front.browser(), **BOB)
    assert page.path == "/account"
    bob = await there.account("bob@example.net")
    assert bob is not None
    assert bob.password_hash is None
    assert bob.role_names == ()
    (row,) = await there.front.store.accounts.factors(bob.id)
    assert row.kind == EXTERNAL
    (session,) = await there.front.store.sessions.live_of(bob.id, there.front.now)
    assert (session.acr, session.amr) == ("urn:doorward:aal1", ("fed",))
    # with another address there: the key is issuer and subject (R89)
    again = await there.sign_in(there.front.browser(), **{**BOB, "email": "robert@example.org"})
    assert again.path == "/account"
    assert await there.account("robert@example.org") is None
    assert len(await there.front.store.sessions.live_of(bob.id, there.front.now)) == 2
    assert [line.detail["by"] for line in await there.front.audited("account.created")] == ["provider"]
    assert len(await there.front.audited("sign_in.provider_proven")) == 2


async def test_an_app_gets_its_code_after_the_way_there_and_back(there: Journey) -> None:
    app = await there.front.register(made.public(access={}))
    tab = there.front.browser()
    url = there.front.asking(app, scope="openid")
    page = await there.sign_in(tab, url, **BOB)
    if page.path.startswith("/consent"):
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    assert sent_to(page).startswith(app.redirect_uris[0])
    assert "code=" in sent_to(page)


@pytest.mark.requirement(91)
async def test_the_request_has_state_nonce_and_pkce_and_its_own_redirect_uri(there: Journey) -> None:
    asked = there.provider.asked(await there.leave(there.front.browser()))
    assert asked["redirect_uri"] == f"{made.ISSUER}/sign-in/provider/example/callback"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == len(asked["nonce"]) == 43
    assert asked["scope"] == "openid email profile"
    assert asked["response_type"] == "code"
    assert "prompt" not in asked
    other = there.provider.asked(await there.leave(there.front.browser()))
    assert {other[name] for name in ("state", "nonce", "code_challenge")}.isdisjoint(asked.values())


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"nonce": "another"}, "nonce is another one"),
        ({"nonce": None}, "nonce is another one"),
        ({"iss": "https://evil.example"}, "iss is another issuer"),
        ({"aud": "another client"}, "aud is not this client"),
        ({"aud": ["doorward at the provider", "another"]}, "azp is missing"),
        ({"azp": "another"}, "azp is another client"),
        ({"exp": 1}, "exp is over"),
        ({"exp": None}, "exp or iat is missing"),
        ({"iat": 4_000_000_000}, "iat lies ahead"),
        ({"sub": ""}, "sub is missing"),
        ({"sub": None}, "sub is missing"),
    ],
)
async def test_an_id_token_for_another_sign_in_is_refused(
    there: Journey, spoiled: dict[str, Any], reason: str
) -> None:
    there.provider.spoiled = spoiled
    page = await there.sign_in(there.front.browser(), **BOB)
    assert page.path.startswith("/sign-in/provider?")
    assert "didn't work" in (page.problem or "")
    assert await there.account("bob@example.net") is None
    (said,) = await there.reasons()
    assert reason in said


async def test_a_token_signed_by_a_stranger_is_refused(there: Journey) -> None:
    there.provider.signs_with = new_key(there.provider.keys[0].kid)
    page = await there.sign_in(there.front.browser(), **BOB)
    assert "didn't work" in (page.problem or "")
    assert "signature" in (await there.reasons())[0]


@pytest.mark.requirement(50)
async def test_a_rotated_key_is_fetched_and_an_unknown_one_only_now_and_then(there: Journey) -> None:
    await there.sign_in(there.front.browser(), **BOB)
    there.front.clock.time += 31
    there.provider.keys = [new_key("k2")]
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"
    fetched = there.provider.calls.count("/keys")
    there.provider.signs_with = new_key("nobody's")
    for _ in range(3):
        page = await there.sign_in(there.front.browser(), **BOB)
        assert "didn't work" in (page.problem or "")
    assert there.provider.calls.count("/keys") == fetched


@pytest.mark.requirement(50)
async def test_a_new_key_under_the_old_name_is_fetched_and_a_forged_signature_fetches_only_now_and_then(
    there: Journey,
) -> None:
    """A provider that is set up anew signs with another key, whose `kid` is the old one; one with a single key may name none."""
    await there.sign_in(there.front.browser(), **BOB)
    name = there.provider.keys[0].kid
    there.provider.keys = [new_key(name)]
    assert "didn't work" in ((await there.sign_in(there.front.browser(), **BOB)).problem or "")
    there.front.clock.time += 31
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"
    fetched = there.provider.calls.count("/keys")
    there.provider.signs_with = new_key(name)
    for _ in range(3):
        page = await there.sign_in(there.front.browser(), **BOB)
        assert "didn't work" in (page.problem or "")
    assert there.provider.calls.count("/keys") == fetched
    # the keys that it has are still used
    there.provider.signs_with = None
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"


@pytest.mark.requirement(91)
async def test_an_answer_of_another_issuer_is_refused_before_its_code_is_sent(there: Journey) -> None:
    """Mix-up (RFC 9207): the attacker's provider sends the browser on with its own issuer."""
    for iss in ("https://evil.example", None):
        tab = there.front.browser()
        back = there.provider.approved(await there.leave(tab), iss=iss, **BOB)
        page = await tab.on(await tab.get(back))
        assert "didn't work" in (page.problem or "")
    assert "/token" not in there.provider.calls


@pytest.mark.requirement(70, 91)
async def test_an_answer_in_another_browser_signs_nobody_in(there: Journey) -> None:
    """Login CSRF: the attacker's own answer, opened by a victim."""
    attacker, victim = there.front.browser(), there.front.browser()
    back = there.provider.approved(await there.leave(attacker), **BOB)
    await victim.get("/sign-in")
    page = await victim.on(await victim.get(back))
    assert page.path.startswith("/sign-in/provider")
    assert "took too long" in (page.problem or "")
    assert "/token" not in there.provider.calls
    # and the attacker's is still good: nothing of it was used up
    assert (await attacker.on(await attacker.get(back))).path == "/account"


async def test_a_repeated_answer_goes_on_where_the_first_one_ended(there: Journey) -> None:
    tab = there.front.browser()
    back = there.provider.approved(await there.leave(tab), **BOB)
    assert (await tab.on(await tab.get(back))).path == "/account"
    asked = there.provider.calls.count("/token")
    again = await tab.on(await tab.get(back))
    assert again.path == "/account"
    assert there.provider.calls.count("/token") == asked
    # reloading it is no guess, however often
    for _ in range(6):
        assert (await tab.on(await tab.get(back))).path == "/account"
    # without the session it is worth nothing
    tab.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}
    assert (await tab.on(await tab.get(back))).path.startswith("/sign-in")


async def test_a_code_that_the_provider_does_not_take_signs_nobody_in(there: Journey) -> None:
    tab = there.front.browser()
    request = there.provider.asked(await there.leave(tab))
    page = await tab.on(await tab.get(there.provider.back(request, code="stolen", iss=there.provider.issuer)))
    assert "didn't work" in (page.problem or "")
    assert await there.reasons() == ["the token endpoint refused the code: invalid_grant"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "didn't finish"),
        ("temporarily_unavailable", "isn't answering"),
        ("invalid_scope", "didn't work"),
    ],
)
async def test_a_refusal_of_the_provider_leads_back_with_a_sentence(
    there: Journey, error: str, said: str
) -> None:
    tab = there.front.browser()
    page = await tab.on(await tab.get(there.provider.cancelled(await there.leave(tab), error)))
    assert page.path.startswith("/sign-in/provider?")
    assert said in (page.problem or "")
    assert "/token" not in there.provider.calls
    # the way is open for another try
    assert (await tab.submit(page, "provider-example")).status == 200
    # a link from elsewhere cannot make another browser's page say it
    elsewhere = await there.front.browser().get(page.path)
    assert elsewhere.problem is None


async def test_a_provider_that_is_down_is_said_so_and_asked_only_now_and_then(there: Journey) -> None:
    there.provider.down = True
    tab = there.front.browser()
    for _ in range(3):
        page = await tab.get("/sign-in/provider")
        page = await tab.on(await tab.submit(page, "provider-example"))
        assert "isn't answering" in (page.problem or "")
    assert len(there.provider.calls) == 1
    there.provider.down = False
    there.front.clock.time += 31
    assert (await there.sign_in(tab, **BOB)).path == "/account"


async def test_neither_cancelling_nor_a_provider_that_is_down_is_a_guess(there: Journey) -> None:
    tab = there.front.browser()
    for number in range(7):
        there.provider.down = False
        url = await there.leave(tab)
        there.provider.down = True
        back = there.provider.approved(url, **BOB) if number % 2 else there.provider.cancelled(url)
        page = await tab.on(await tab.get(back))
        assert ("isn't answering" if number % 2 else "didn't finish") in (page.problem or "")


async def test_one_that_went_down_after_its_documents_were_read_is_said_so_too(there: Journey) -> None:
    tab = there.front.browser()
    back = there.provider.approved(await there.leave(tab), **BOB)
    there.provider.down = True
    page = await tab.on(await tab.get(back))
    assert "isn't answering" in (page.problem or "")


async def test_a_disabled_person_stays_out(there: Journey) -> None:
    await there.sign_in(there.front.browser(), **BOB)
    bob = await there.account("bob@example.net")
    assert bob is not None
    await there.front.change(bob, disabled_at=there.front.now)
    page = await there.sign_in(there.front.browser(), **BOB)
    assert "disabled" in (page.problem or "")


async def test_an_address_that_is_only_in_userinfo_is_read_there_and_only_of_the_same_person(
    there: Journey,
) -> None:
    there.provider.userinfo = {**BOB}
    assert (await there.sign_in(there.front.browser(), sub="bob-there")).path == "/account"
    assert await there.account("bob@example.net") is not None
    there.provider.userinfo = {**ADA, "sub": "somebody else"}
    page = await there.sign_in(there.front.browser(), sub="ada-there")
    assert "didn't work" in (page.problem or "")
    assert await there.account("ada@example.com") is None


async def test_guesses_of_codes_are_counted(there: Journey) -> None:
    tab = there.front.browser()
    for _ in range(5):
        request = there.provider.asked(await there.leave(tab, "/sign-in/provider"))
        await tab.get(there.provider.back(request, code="guess", iss=there.provider.issuer))
    asked = there.provider.calls.count("/token")
    request = there.provider.asked(await there.leave(tab, "/sign-in/provider"))
    page = await tab.on(await tab.get(there.provider.back(request, code="guess", iss=there.provider.issuer)))
    assert "Too many" in (page.problem or "")
    assert there.provider.calls.count("/token") == asked


async def test_a_provider_that_the_operator_removed_vouches_for_nobody(
    tmp_path: Path, there: Journey
) -> None:
    await there.sign_in(there.front.browser(), **BOB)
    bob = await there.account("bob@example.net")
    assert bob is not None
    rows = await there.front.store.accounts.factors(bob.id)
    (plug, _) = [one for one in there.front.advance.factors.all if one.traits.kind.startswith("provider")]
    (session,) = await there.front.store.sessions.live_of(bob.id, there.front.now)
    (proof,) = session.proofs
    assert plug.stands(proof, bob, rows)
    there.front.settings.providers.by_name.clear()
    assert not plug.stands(proof, bob, rows)
    assert not plug.enrolled(bob, rows)
