"""Who hears a no: a page of ours or the app? And whom does a hint name?"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.features.oauth.authorize.service import Accepted, Refused, Unsure
from tests.features import made
from tests.front_channel import Front, front_channel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        yield opened


def hint(front: Front, **changes: object) -> str:
    claims = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": "ses_one", "exp": 1, **changes}
    return front.services.signer.sign(claims, typ="JWT")


@pytest.mark.requirement(2)
async def test_a_good_request_a_doubtful_one_and_a_bad_one(front: Front) -> None:
    client = made.client()
    accepted = front.authorize.check(front.params(client))
    assert isinstance(accepted, Accepted)
    assert accepted.client.id == "app_web"
    assert isinstance(front.authorize.check({}), Unsure)
    assert isinstance(
        front.authorize.check(front.params(client, redirect_uri="https://evil.example")), Unsure
    )
    refused = front.authorize.check(front.params(client, scope="x"))
    assert isinstance(refused, Refused)
    assert refused.response.fields["error"] == "invalid_scope"
    assert refused.response.target == made.REDIRECT


async def test_an_empty_parameter_counts_as_left_out(front: Front) -> None:
    accepted = front.authorize.check(
        front.params(made.client(), max_age="", state="", id_token_hint="", request="")
    )
    assert isinstance(accepted, Accepted)
    assert accepted.request.state is None
    assert isinstance(front.authorize.check(front.params(made.client(), code_challenge="")), Refused)


@pytest.mark.requirement(13)
async def test_a_hint_names_the_person_however_old_it_is(front: Front) -> None:
    accepted = front.authorize.check(front.params(made.client(), id_token_hint=hint(front)))
    assert isinstance(accepted, Accepted)
    assert accepted.request.hint_subject == "usr_ada"


@pytest.mark.requirement(13)
async def test_a_hint_that_is_not_this_apps_is_refused(front: Front) -> None:
    for bad in (
        hint(front, aud="app_other"),
        hint(front, iss="https://other.example"),
        "x",
        hint(front, sub=7),
    ):
        assert isinstance(front.authorize.check(front.params(made.client(), id_token_hint=bad)), Refused)
    two = front.params(
        made.client(), id_token_hint=hint(front), claims='{"id_token":{"sub":{"value":"usr_eve"}}}'
    )
    assert isinstance(front.authorize.check(two), Refused)
