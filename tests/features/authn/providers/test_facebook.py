"""Sign-in with Facebook: people without an address, addresses that nobody confirmed, and the proof of the app's secret."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.services.facebook import EXPIRES, FACEBOOK
from doorward.features.authn.providers.settings import ProviderPolicy
from tests.features.authn.addresses.steps import proven
from tests.features.authn.providers.at_service import AtService, at_service
from tests.stand_ins.facebook import FacebookStandIn

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {"id": "10158812345678901", "name": "Ada L."}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[AtService[FacebookStandIn]]:
    async with at_service(FacebookStandIn, "facebook", tmp_path) as opened:
        yield opened


@pytest.mark.requirement(90, 92)
async def test_an_account_with_only_a_phone_number_ends_in_an_account_here(
    there: AtService[FacebookStandIn],
) -> None:
    """next-auth#7601: no address is no error. The person gives one, proves it, and is then known by Facebook alone."""
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    assert page.path.startswith("/sign-in/address?")
    assert page.problem is None
    assert there.service.refused == []
    page = await proven(there.front, tab, page, "ada@example.com")
    assert page.path == "/account"
    assert await there.account("ada@example.com") is not None
    assert (await there.sign_in(there.front.browser(), **ADA)).path == "/account"


@pytest.mark.requirement(90, 92)
async def test_its_address_is_never_confirmed(there: AtService[FacebookStandIn]) -> None:
    """An address that the person can type there links nothing and creates nothing, whatever the operator trusts."""
    await there.front.person()
    for claims in ({}, {"email_verified": True, "verified": True}):
        there.service.spoiled_person = claims
        page = await there.sign_in(there.front.browser(), **ADA, email="ada@example.com")
        assert page.path.startswith("/sign-in/address?")
        assert "There is an account here" not in page.words
    page = await there.sign_in(there.front.browser(), id="11", email="new@example.com")
    assert page.path.startswith("/sign-in/address?")
    assert await there.account("new@example.com") is None


async def test_the_request_has_the_version_and_the_person_is_asked_for_with_a_proof(
    there: AtService[FacebookStandIn],
) -> None:
    tab = there.front.browser()
    asked = there.service.asked(await there.leave(tab))
    assert asked["scope"] == "public_profile email"
    assert "code_challenge" not in asked
    await there.sign_in(tab, **ADA)
    assert there.service.calls == ["/v25.0/oauth/access_token", "/v25.0/me"]
    assert there.service.refused == []


async def test_an_error_that_is_an_object_is_logged_by_its_numbers(there: AtService[FacebookStandIn]) -> None:
    tab = there.front.browser()
    answer = there.service.approved(await there.leave(tab), **ADA)
    answer.fields["code"] += "x"
    page = await there.back(tab, answer)
    assert "didn't work" in (page.problem or "")
    assert await there.reasons() == ["the token endpoint refused the code: OAuthException 100 36009"]


async def test_cancel_and_an_answer_without_a_code_lead_back(there: AtService[FacebookStandIn]) -> None:
    tab = there.front.browser()
    page = await there.back(tab, there.service.cancelled(await there.leave(tab)))
    assert "didn't finish" in (page.problem or "")
    page = await there.back(tab, there.service.not_set_up(await there.leave(tab)))
    assert "didn't work" in (page.problem or "")
    assert await there.reasons() == ["the response has no code"]


@pytest.mark.requirement(91)
async def test_a_token_of_another_app_is_never_taken_from_the_address(
    there: AtService[FacebookStandIn],
) -> None:
    """Token substitution: an app that the attacker runs has a token of its visitors. Only a code of this app counts."""
    await there.front.person()
    there.service.holders["EAAB"] = {**ADA, "granted": ["email"]}
    tab = there.front.browser()
    answer = there.service.approved(await there.leave(tab), **ADA)
    answer.fields.pop("code")
    answer.fields["access_token"] = "EAAB"
    page = await there.back(tab, answer)
    assert "didn't work" in (page.problem or "")
    assert there.service.calls == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            {"error": {"message": "the code abc", "type": "OAuthException", "code": 100}},
            "OAuthException 100",
        ),
        ({"error": {"type": "the code abc", "code": True}}, "without a code"),
        ({"error": {"type": "OAuthException", "code": -1, "error_subcode": 10**30}}, "OAuthException"),
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"error": []}, "without a code"),
    ],
)
def test_nothing_of_an_error_is_logged_but_its_type_and_numbers(answer: dict[str, Any], code: str) -> None:
    assert FACEBOOK.error_code(answer) == code


@pytest.mark.parametrize(("days", "said"), [(91, ()), (90, "ends on"), (1, "ends on"), (0, "ended on")])
@pytest.mark.parametrize("version", ["v24.0", "v25.0"])
def test_an_operator_is_warned_before_a_version_ends(version: str, days: int, said: Any) -> None:
    policy = ProviderPolicy.named("facebook", {"api_version": version})
    ends = EXPIRES[version]
    noon = int(datetime(ends.year, ends.month, ends.day, 12, tzinfo=UTC).timestamp())
    warned = FACEBOOK.warnings(policy, noon - days * 86_400)
    assert (warned == ()) if said == () else (said in warned[0])


def test_a_version_that_is_not_in_the_list_is_newer() -> None:
    assert FACEBOOK.warnings(ProviderPolicy.named("facebook", {"api_version": "v31.0"}), 2_000_000_000) == ()
