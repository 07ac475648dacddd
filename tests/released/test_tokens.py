"""Tests of codes, tokens, keys and credentials of apps from the released commit, at today's code."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from doorward_verify import ResourceServer
from doorward_verify.revocation import hidden
from tests.engines import BOTH
from tests.flows.apps import App, Attempt, good, payload, refused
from tests.released.held import Held

ENGINES = BOTH
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_a_released_code_is_redeemed_once(held: Held) -> None:
    own, kept = held.app("own"), held["code"]
    attempt = Attempt(**kept["attempt"])
    tokens = good(own.redemption(attempt, kept["code"]))
    assert tokens.identity["nonce"] == attempt.nonce
    good(own.refresh(tokens.refresh))
    refused(own.redemption(attempt, kept["code"]))


def test_a_code_of_a_public_app_is_redeemed_only_with_its_verifier(held: Held) -> None:
    spa, kept = held.app("spa"), held["code_public"]
    attempt = Attempt(**kept["attempt"])
    good(spa.redemption(attempt, kept["code"]))


def test_a_code_redeemed_before_revokes_its_tokens_when_used_again(held: Held) -> None:
    own, kept = held.app("own"), held["code_used"]
    refused(own.redemption(Attempt(**kept["attempt"]), kept["code"]))
    refused(own.refresh(held.tokens("code_used_tokens").refresh))


@pytest.mark.parametrize("name", ["fresh", "online"])
def test_a_released_refresh_family_can_be_refreshed(held: Held, name: str) -> None:
    own, old = held.app("own"), held.tokens(name)
    first = good(own.refresh(old.refresh))
    second = good(own.refresh(first.refresh))
    for claim in ("sub", "acr", "amr", "auth_time", "client_id", "aud", "scope"):
        assert second.claims[claim] == old.claims[claim], claim


@pytest.mark.parametrize(("name", "app"), [("rotated", "own"), ("rotated_public", "spa")])
def test_a_refresh_token_spent_before_gives_the_same_successor(held: Held, name: str, app: str) -> None:
    spent, newest = held[name]
    client = held.app(app)
    assert good(client.refresh(spent)).refresh == newest
    assert good(client.refresh(newest)).refresh != newest


def test_a_released_revocation_still_holds(held: Held) -> None:
    own, ended = held.app("own"), held.tokens("revoked")
    refused(own.refresh(ended.refresh))
    assert own.userinfo(ended.access).status_code == 401
    assert held.app("reader").introspect(ended.access) == {"active": False}


def test_a_released_token_can_be_revoked(held: Held) -> None:
    own, old = held.app("own"), held.tokens("signed_in")
    assert own.userinfo(old.access).status_code == 200
    assert own.post("/revoke", token=old.access).status_code == 200
    assert own.userinfo(old.access).status_code == 401


def test_a_released_access_token_is_introspected_and_accepted_by_userinfo(held: Held) -> None:
    old = held.tokens("fresh")
    said = held.app("reader").introspect(old.access)
    assert (said["active"], said["sub"]) == (True, old.claims["sub"])
    assert held.app("own").userinfo(old.access).json()["sub"] == old.claims["sub"]


def test_the_released_keys_are_published_and_still_sign(held: Held) -> None:
    assert held.get("/jwks").json() == held["jwks"]
    newer = good(held.app("service").token(grant_type="client_credentials", resource=held["apis"][0]))
    _keys(held["jwks"], newer.access)


GAINED = {
    "authorization_grant_profiles_supported",
    "device_authorization_endpoint",
    "identity_chaining_requested_token_types_supported",
}
"""Members of the metadata that the released program did not have, with the settings that it had."""


def test_the_metadata_only_gains_members_and_values(held: Held) -> None:
    metadata, released = held.get("/.well-known/openid-configuration").json(), held["metadata"]
    # a list may end with values that the released program did not know
    for name in ("acr_values_supported", "grant_types_supported"):
        assert metadata[name][: len(released[name])] == released[name]
        metadata[name] = released[name]
    assert metadata.keys() - released.keys() == GAINED
    assert {name: metadata[name] for name in metadata.keys() - GAINED} == released


@pytest.mark.parametrize("name", ["fresh", "online", "service", "signing", "cookie"])
def test_an_api_accepts_a_released_access_token(held: Held, name: str) -> None:
    token = held.browser("cookie_delivery")[0].cookies if name == "cookie" else held.tokens(name).access
    if not isinstance(token, str):
        token = next(cookie.value for kind, cookie in token.items() if kind.endswith("_at"))
    api = ResourceServer(
        held["issuer"], held["apis"][0], jwks=held.get("/jwks").json(), clock=held.clock.exactly
    )
    with api:
        assert api.verify(token).client_id == payload(token)["client_id"]


@pytest.mark.parametrize("name", ["fresh", "signed_in", "signing"])
def test_a_released_id_token_verifies(held: Held, name: str) -> None:
    old = held.tokens(name)
    claims = _keys(held.get("/jwks").json(), old.body["id_token"])
    assert claims["sub"] == old.claims["sub"]


def test_an_app_authenticates_by_its_key_and_by_no_used_assertion(held: Held) -> None:
    signing = held.app("signing")
    refresh = held.tokens("signing").body["refresh_token"]
    old = signing.refresh(refresh, client_assertion_type=ASSERTION, client_assertion=held["assertion"])
    refused(old, "invalid_client", 401)
    fresh = _assertion(held, signing)
    good(signing.refresh(refresh, client_assertion_type=ASSERTION, client_assertion=fresh))


@pytest.mark.parametrize("edition", ["1", "2"])
def test_a_released_cursor_continues_with_later_entries(held: Held, edition: str) -> None:
    cursor = held["cursors"][edition]
    news = held.get("/revocations", after=cursor, v=edition).json()
    assert news["reset"] is False
    entries = {(entry["kind"], entry["id"]) for entry in news["entries"]}
    grant = payload(held.tokens("after_cursor").access)["jti"].partition(".")[0]
    salt = news.get("salt")
    assert ("grant", hidden(salt, "grant", grant) if salt else grant) in entries


def _keys(document: Any, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(document)
    return jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims


def _assertion(held: Held, app: App) -> str:
    now = held.clock.now()
    claims = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": app.issuer,
        "jti": "second",
        "iat": now,
        "exp": now + 60,
    }
    key = ECKey.import_key(held["client_key"])
    return jwt.encode({"alg": "ES256", "kid": "client-key"}, claims, key, algorithms=["ES256"])
