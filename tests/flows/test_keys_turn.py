"""Tests that tokens stay valid through a key rotation, and that none survives the revocation of its key."""

from __future__ import annotations

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from tests.engines import BOTH
from tests.flows.apps import good, header
from tests.flows.running import Running
from tests.flows.seeds import API, House
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import until

ENGINES = BOTH


def kids(server: Running) -> set[str]:
    """The published key ids."""
    with server.http() as http:
        keys = http.get("/jwks").json()["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {member for key in keys for member in key}
    return {key["kid"] for key in keys}


@pytest.mark.requirement(52, 53)
def test_live_tokens_survive_a_rotation_and_the_next_key_is_published_before_it_signs(
    server: Running, house: House
) -> None:
    before = tokens_by_challenge(house.own, "ada@example.com", "openid orders:read")
    # for each of the two algorithms the signing key, and the next one, which is made in the background
    until(lambda: len(kids(server)) == 4)
    published = kids(server)
    with server.api(API) as api:
        assert api.refusal(before.access) is None
        server.operate(lambda services: services.get(admin.keys).rotate(os_actor(), force=True))
        after = good(house.own.refresh(before.refresh))
        assert header(after.access)["kid"] != header(before.access)["kid"]
        assert header(after.access)["kid"] in published, "it was published before it signed"
        assert kids(server) > published, "the one after it is published already"
        assert api.refusal(after.access) is None
        assert api.refusal(before.access) is None
        assert house.own.userinfo(before.access).status_code == 200
        assert house.own.introspect(before.access)["active"] is True
    with server.api(API) as fresh:
        assert fresh.refusal(before.access) is None, "an API that starts now knows both keys"


@pytest.mark.requirement(52)
def test_a_revoked_key_and_its_tokens_are_withdrawn(server: Running, house: House) -> None:
    tokens = tokens_by_challenge(house.own, "bob@example.com", "openid orders:read")
    bad = header(tokens.access)["kid"]
    server.operate(lambda services: services.get(admin.keys).revoke(os_actor(), bad))
    assert bad not in kids(server)
    assert house.own.userinfo(tokens.access).status_code == 401
    assert house.own.introspect(tokens.access) == {"active": False}
    with server.api(API) as api:
        assert api.refusal(tokens.access) == "unknown_key"
        newer = good(house.own.refresh(tokens.refresh))
        assert header(newer.access)["kid"] != bad
        assert api.refusal(newer.access) is None
