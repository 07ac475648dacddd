"""Authorization checks: errors shown on our page or returned to the app, and the subject of a hint."""

from __future__ import annotations

import pytest

from doorward.features.oauth.authorize.service import Accepted, RefusedByRedirect, Unsure
from tests.features import made
from tests.front_channel import Front

pytestmark = pytest.mark.anyio


def hint(front: Front, **changes: object) -> str:
    claims = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": "ses_one", "exp": 1, **changes}
    return front.services.signer.sign(claims, typ="JWT")


@pytest.mark.requirement(2)
async def test_a_valid_an_undirectable_and_a_refused_request(front: Front) -> None:
    client = made.client()
    accepted = front.authorize.check(front.params(client))
    assert isinstance(accepted, Accepted)
    assert accepted.client.id == "app_web"
    assert isinstance(front.authorize.check({}), Unsure)
    assert isinstance(
        front.authorize.check(front.params(client, redirect_uri="https://evil.example")), Unsure
    )
    refused = front.authorize.check(front.params(client, scope="x"))
    assert isinstance(refused, RefusedByRedirect)
    assert refused.response.fields["error"] == "invalid_scope"
    assert refused.response.target == made.REDIRECT


async def test_an_empty_parameter_counts_as_omitted(front: Front) -> None:
    accepted = front.authorize.check(
        front.params(made.client(), max_age="", state="", id_token_hint="", request="")
    )
    assert isinstance(accepted, Accepted)
    assert accepted.request.state is None
    assert isinstance(
        front.authorize.check(front.params(made.client(), code_challenge="")), RefusedByRedirect
    )


@pytest.mark.requirement(13)
async def test_an_expired_hint_still_names_the_person(front: Front) -> None:
    accepted = front.authorize.check(front.params(made.client(), id_token_hint=hint(front)))
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
            front.authorize.check(front.params(made.client(), id_token_hint=bad)), RefusedByRedirect
        )
    two = front.params(
        made.client(), id_token_hint=hint(front), claims='{"id_token":{"sub":{"value":"usr_eve"}}}'
    )
    assert isinstance(front.authorize.check(two), RefusedByRedirect)
