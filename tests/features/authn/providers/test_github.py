"""Sign-in with GitHub: numbered people, private addresses, and errors that look like success."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.features import made
from tests.features.authn.providers.at_service import AtService, at_service
from tests.stand_ins.github import GitHubStandIn, listed
from tests.tabs import said

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {
    "id": 583231,
    "login": "ada",
    "name": "Ada L.",
    "emails": [
        listed("583231+ada@users.noreply.github.com", primary=False),
        listed("ada@example.com"),
    ],
}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[AtService[GitHubStandIn]]:
    async with at_service(GitHubStandIn, "github", tmp_path) as opened:
        yield opened


@pytest.mark.requirement(89, 91)
async def test_a_private_address_is_read_from_the_list(there: AtService[GitHubStandIn]) -> None:
    """pingvin-share#759: the profile shows no address, and the primary one is in /user/emails."""
    tab = there.front.browser()
    asked = there.service.asked(await there.leave(tab))
    assert asked["scope"] == "read:user user:email"
    assert asked["code_challenge_method"] == "S256"
    assert "nonce" not in asked
    assert (await there.sign_in(tab, **ADA)).path == "/account"
    ada = await there.account("ada@example.com")
    assert ada is not None
    assert (ada.name, ada.password_hash) == ("Ada L.", None)
    assert there.service.refused == []


@pytest.mark.requirement(89)
async def test_the_number_is_the_key_and_a_login_that_changed_hands_is_nobodys(
    there: AtService[GitHubStandIn],
) -> None:
    """keycloak#26201: a new subject for the same name gets into no account that exists."""
    await there.sign_in(there.front.browser(), **ADA)
    renamed = {**ADA, "login": "lovelace", "emails": [listed("new@example.org")]}
    assert (await there.sign_in(there.front.browser(), **renamed)).path == "/account"
    assert await there.account("new@example.org") is None
    # somebody else took the login, and gives the same address
    page = await there.sign_in(there.front.browser(), **{**ADA, "id": 99})
    assert "connected to another account of that service" in (page.problem or "")
    ada = await there.account("ada@example.com")
    assert ada is not None
    (identity,) = await there.front.store.external_identities.of_account(ada.id)
    assert (identity.issuer, identity.subject) == (f"{there.service.origin}/login/oauth", "583231")


@pytest.mark.requirement(90, 92)
@pytest.mark.parametrize(
    "emails",
    [
        [listed("ada@example.com", verified=False)],
        [listed("ada@example.com", primary=False)],
        [{"email": "ada@example.com", "primary": 1, "verified": "true"}],
        [],
        ["ada@example.com"],
        {"email": "ada@example.com"},
    ],
)
async def test_an_address_that_is_not_primary_and_verified_creates_nothing(
    there: AtService[GitHubStandIn], emails: Any
) -> None:
    """The public address of the profile is set, and is not taken for the confirmed one."""
    page = await there.sign_in(there.front.browser(), **{**ADA, "emails": emails, "email": "ada@example.com"})
    assert page.path.startswith("/sign-in/address?")
    assert await there.account("ada@example.com") is None


async def test_an_app_that_may_not_read_addresses_still_knows_the_person(tmp_path: Path) -> None:
    async with at_service(GitHubStandIn, "github", tmp_path, scopes=("read:user",)) as there:
        page = await there.sign_in(there.front.browser(), **ADA)
        assert page.path.startswith("/sign-in/address?")
        assert "/user/emails" not in there.service.calls
    async with at_service(GitHubStandIn, "github", tmp_path) as there:
        # as for a GitHub App without that permission
        there.service.statuses = {"/user/emails": 403}
        page = await there.sign_in(there.front.browser(), **ADA)
        assert page.path.startswith("/sign-in/address?")


async def test_an_error_with_status_200_signs_nobody_in(there: AtService[GitHubStandIn]) -> None:
    there.service.secret = "another"
    page = await there.sign_in(there.front.browser(), **ADA)
    assert "didn't work" in (page.problem or "")
    assert await there.reasons() == ["the token endpoint refused the code: incorrect_client_credentials"]
    assert await there.account("ada@example.com") is None


@pytest.mark.requirement(91)
async def test_another_browsers_code_is_refused_by_its_challenge(there: AtService[GitHubStandIn]) -> None:
    """Code injection: the attacker's own way back carries a code that somebody else got."""
    victim, attacker = there.front.browser(), there.front.browser()
    stolen = there.service.approved(await there.leave(victim), **ADA)
    own = there.service.approved(await there.leave(attacker), id=1, login="eve", emails=[])
    own.fields["code"] = stolen.fields["code"]
    page = await there.back(attacker, own)
    assert "didn't work" in (page.problem or "")
    assert await there.reasons() == ["the token endpoint refused the code: bad_verification_code"]


@pytest.mark.requirement(91)
@pytest.mark.parametrize("iss", ["https://github.com", "https://evil.example", ""])
async def test_an_answer_of_another_issuer_is_refused_before_its_code_is_sent(
    there: AtService[GitHubStandIn], iss: str
) -> None:
    """Mix-up. GitHub's answers have had `iss` since 2026, which broke clients that were not told of it (langfuse#13091)."""
    tab = there.front.browser()
    answer = there.service.approved(await there.leave(tab), **ADA)
    assert answer.fields["iss"] == f"{there.service.origin}/login/oauth"
    answer.fields["iss"] = iss
    page = await there.back(tab, answer)
    assert "didn't work" in (page.problem or "")
    assert "/login/oauth/access_token" not in there.service.calls


async def test_an_enterprise_server_without_iss_signs_in(there: AtService[GitHubStandIn]) -> None:
    there.service.names_issuer = False
    assert (await there.sign_in(there.front.browser(), **ADA)).path == "/account"


@pytest.mark.requirement(91)
async def test_two_tabs_end_at_their_own_apps(there: AtService[GitHubStandIn]) -> None:
    """next-auth#7894: the second tab does not take the first one's state."""
    await there.sign_in(there.front.browser(), **ADA)
    tab, ends = there.front.browser(), list[str]()
    apps = [made.public(id=f"app_{name}", name=name, access={}) for name in ("one", "two")]
    await there.front.register(*apps)
    urls = [await there.leave(tab, there.front.asking(app, scope="openid", state=app.name)) for app in apps]
    for url in urls:
        page = await there.back(tab, there.service.approved(url, **ADA))
        if page.path.startswith("/consent"):
            page = await tab.on(await tab.submit(page, "consent", decision="allow"))
        ends.append(said(page)["state"])
    assert ends == ["one", "two"]


async def test_what_an_app_asks_for_is_asked_in_githubs_words(there: AtService[GitHubStandIn]) -> None:
    app = await there.front.register(made.public(access={}))
    url = there.front.asking(app, scope="openid", prompt="select_account", login_hint="ada@example.com")
    asked = there.service.asked(await there.leave(there.front.browser(), url))
    assert (asked["prompt"], asked["login"]) == ("select_account", "ada@example.com")


async def test_cancel_leads_back_with_a_sentence(there: AtService[GitHubStandIn]) -> None:
    tab = there.front.browser()
    page = await there.back(tab, there.service.cancelled(await there.leave(tab)))
    assert "didn't finish" in (page.problem or "")


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"id": None}, "sub is missing"),
        ({"id": "583231\n"}, None),
        ({"id": True}, "sub is missing"),
        ({"id": {"a": 1}}, "sub is missing"),
        ({"error": "x"}, "is no object"),
    ],
)
async def test_a_document_without_a_person_signs_nobody_in(
    there: AtService[GitHubStandIn], spoiled: dict[str, Any], reason: str | None
) -> None:
    there.service.spoiled_person = spoiled
    page = await there.sign_in(there.front.browser(), **ADA)
    if reason is None:
        # another text is another person, and harms nobody
        assert page.path == "/account"
    else:
        assert "didn't work" in (page.problem or "")
        assert reason in (await there.reasons())[0]


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"access_token": None}, "no access token"),
        ({"access_token": "two words"}, "no access token"),
        ({"access_token": "header\r\nx: y"}, "no access token"),
        ({"access_token": 5}, "no access token"),
        ({"token_type": "mac"}, "no bearer token"),
        ({"token_type": 5}, "no bearer token"),
        ({"access_token": "gho_nobody"}, "answered 401"),
    ],
)
async def test_a_token_response_without_a_usable_token_signs_nobody_in(
    there: AtService[GitHubStandIn], spoiled: dict[str, Any], reason: str
) -> None:
    there.service.spoiled_tokens = spoiled
    page = await there.sign_in(there.front.browser(), **ADA)
    assert "didn't work" in (page.problem or "")
    assert reason in (await there.reasons())[0]


@pytest.mark.requirement(50)
@pytest.mark.parametrize("path", ["/login/oauth/access_token", "/user", "/user/emails"])
@pytest.mark.parametrize("status", [503, 429])
async def test_a_service_that_is_down_is_named_and_counts_against_nobody(
    there: AtService[GitHubStandIn], path: str, status: int
) -> None:
    there.service.statuses = {path: status}
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    assert "isn't answering right now" in (page.problem or "")
    assert await there.reasons() == []
    there.service.statuses = {}
    assert (await there.sign_in(tab, **ADA)).path == "/account"
