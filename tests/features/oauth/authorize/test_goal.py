"""Grant of an authorization request: the level that its tokens name, of those that the sign-in reached."""

from __future__ import annotations

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.levels import AAL1, AAL2, AAL3, PHR
from doorward.core.model.request import AuthRequest
from doorward.features.authn.flow.build import goal_choice
from doorward.features.authn.flow.outcomes import AuthorizationError
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.oauth.authorize.goal import AuthorizationGoal
from tests.features import made
from tests.front_channel import CALLER, Front

pytestmark = pytest.mark.anyio
APPS = (made.client(first_party=True),)


async def granted(front: Front, request: AuthRequest, achieved: Achieved) -> Grant | str:
    """The stored grant, or the error for the app."""
    ada = await front.person()
    session = await front.session(ada)
    sign_in = await front.begin(request, account_id=ada.id)
    goal = await front.services.get(goal_choice).permit(sign_in, ada, achieved)
    if isinstance(goal, AuthorizationError):
        return goal.error.code
    assert isinstance(goal, AuthorizationGoal)
    reached = await goal.reach(sign_in, session, achieved, caller=CALLER, now=front.now)
    assert await front.store.commit(*reached.writes)
    assert reached.code is not None
    code = await front.store.grants.code(digest(reached.code))
    assert code is not None
    grant = await front.store.grants.get(code.grant_id)
    assert grant is not None
    return grant


def by_passkey(front: Front) -> Achieved:
    """A sign-in with a synced passkey, 100 seconds ago."""
    return Achieved(AAL2, ("swk", "user", "mfa"), front.now - 100, frozenset({AAL1, AAL2, PHR}))


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ((), AAL2),
        ((AAL2,), AAL2),
        ((PHR, AAL2), PHR),
        ((AAL3, PHR), PHR),
        ((AAL1,), AAL2),
        (("urn:somebody:else",), AAL2),
    ],
)
async def test_the_token_names_the_level_that_was_asked_for_and_when_it_was_reached(
    front: Front, asked: tuple[str, ...], name: str
) -> None:
    grant = await granted(front, front.request(acr_values=asked), by_passkey(front))
    assert isinstance(grant, Grant)
    assert (grant.acr, grant.amr, grant.auth_time) == (name, ("swk", "user", "mfa"), front.now - 100)


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ((AAL3,), "unmet_authentication_requirements"),
        (("urn:somebody:else",), "unmet_authentication_requirements"),
        ((), "unmet_authentication_requirements"),
        ((AAL3, PHR), PHR),
        ((AAL1,), AAL1),
    ],
)
async def test_an_essential_level_is_named_or_refused(
    front: Front, asked: tuple[str, ...], name: str
) -> None:
    request = front.request(acr_values=asked, acr_essential=True)
    grant = await granted(front, request, by_passkey(front))
    assert (grant.acr if isinstance(grant, Grant) else grant) == name
