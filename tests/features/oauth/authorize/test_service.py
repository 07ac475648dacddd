"""Authorization checks: errors shown on our page or returned to the app, and the subject of a hint."""

from __future__ import annotations

import pytest

from doorward.features.oauth.authorize.service import Accepted, RefusedByRedirect, Unsure
from tests.features import made
from tests.front_channel import CALLER, Front

pytestmark = pytest.mark.anyio


def hint(front: Front, **changes: object) -> str:
    claims = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": "ses_one", "exp": 1, **changes}
    return front.services.signer.sign(claims, typ="JWT")


async def check(front: Front, params: dict[str, str]) -> Accepted | Unsure | RefusedByRedirect:
    return await front.authorize.check(params, caller=CALLER, now=front.now)


@pytest.mark.requirement(2)
@pytest.mark.parametrize(
    "client_id", ["", "app_nobody", "app_web\n", "dcr_nobody", "https://app.example.com/id", "x" * 60_000]
)
async def test_an_unknown_app_is_never_redirected_to(front: Front, client_id: str) -> None:
    outcome = await check(front, {**front.params(made.client()), "client_id": client_id})
    assert isinstance(outcome, Unsure)
    assert outcome.error.code == "invalid_client"
    assert len(outcome.error.reason + outcome.error.fix) < 2000


@pytest.mark.requirement(2)
async def test_a_valid_an_undirectable_and_a_refused_request(front: Front) -> None:
    client = made.client()
    accepted = await check(front, front.params(client))
    assert isinstance(accepted, Accepted)
    assert accepted.client.id == "app_web"
    assert isinstance(await check(front, {}), Unsure)
    assert isinstance(await check(front, front.params(client, redirect_uri="https://evil.example")), Unsure)
    refused = await check(front, front.params(client, scope="x"))
    assert isinstance(refused, RefusedByRedirect)
    assert refused.response.fields["error"] == "invalid_scope"
    assert refused.response.target == made.REDIRECT


async def test_an_empty_parameter_counts_as_omitted(front: Front) -> None:
    accepted = await check(
        front, front.params(made.client(), max_age="", state="", id_token_hint="", request="")
    )
    assert isinstance(accepted, Accepted)
    assert accepted.request.state is None
    assert isinstance(await check(front, front.params(made.client(), code_challenge="")), RefusedByRedirect)


@pytest.mark.requirement(13)
async def test_an_expired_hint_still_names_the_person(front: Front) -> None:
    accepted = await check(front, front.params(made.client(), id_token_hint=hint(front)))
    assert isinstance(accepted, Accepted)
    assert accepted.request.hint_subject == "usr_ada"


@pytest.mark.requirement(13)
async def test_a_hint_not_issued_to_this_app_is_refused(front: Front) -> None:
    for bad in (
        hint(front, aud="app_other"),
        hint(front, iss="https://other.example"),
        "x",
        hint(front, sub=7),
    ):
        assert isinstance(
            await check(front, front.params(made.client(), id_token_hint=bad)), RefusedByRedirect
        )
    two = front.params(
        made.client(), id_token_hint=hint(front), claims='{"id_token":{"sub":{"value":"usr_eve"}}}'
    )
    assert isinstance(await check(front, two), RefusedByRedirect)
