"""Codes and tokens of a provider that were given for another browser or another app: they sign nobody in here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.features.authn.providers.journey import ADA, BOB, Journey, journey

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(91)]


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


def with_the_code_of(answer: str, other: str) -> str:
    """The first answer, with the code of the second."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
    query["code"] = parse_qs(urlsplit(other).query)["code"][0]
    return f"{urlsplit(answer).path}?{urlencode(query)}"


@pytest.mark.parametrize(
    "changes", [{}, {"pkce": False}, {"nonce": False}], ids=["both", "nonce alone", "PKCE alone"]
)
@pytest.mark.parametrize("stolen_from", ["victim", "attacker"])
async def test_a_code_works_only_in_the_browser_that_asked_for_it(
    tmp_path: Path, changes: dict[str, Any], stolen_from: str
) -> None:
    # "victim": a stolen code in the attacker's browser would give them the account. "attacker": a planted one would have the
    # victim work in an account of the attacker (RFC 9700 §4.5).
    async with journey(tmp_path, **changes) as there:
        await there.sign_in(there.front.browser(), **BOB)
        before = len(await there.front.audited("sign_in.provider_proven"))
        mine, theirs = there.front.browser(), there.front.browser()
        own = there.provider.approved(await there.leave(mine), **ADA)
        other = there.provider.approved(await there.leave(theirs), **BOB)
        if stolen_from == "attacker":
            own, other = other, own
            mine = theirs
        page = await mine.on(await mine.get(with_the_code_of(own, other)))
        assert page.path.startswith("/sign-in")
        assert len(await there.front.audited("sign_in.provider_proven")) == before
        assert (await mine.get("/account")).status != 200


@pytest.mark.parametrize(
    "audience",
    [
        {"aud": "another app"},
        {"aud": ["another app"]},
        {"aud": ["another app", "doorward at the provider"]},
        {"aud": ["another app", "doorward at the provider"], "azp": "another app"},
        {"azp": "another app"},
    ],
)
async def test_an_id_token_that_another_app_was_given_signs_nobody_in(
    there: Journey, audience: dict[str, Any]
) -> None:
    # OpenID Connect Core 1.0 §3.1.3.7: the audience is this server, and no other app is the authorized party
    there.provider.spoiled = audience
    page = await there.sign_in(there.front.browser(), **BOB)
    assert page.path.startswith("/sign-in")
    assert await there.account("bob@example.net") is None
    assert await there.reasons()
