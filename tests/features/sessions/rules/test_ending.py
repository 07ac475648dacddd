"""Revocation entries: they cover every token that could still be valid."""

from __future__ import annotations

from doorward.core.model.config_snapshot import ConfigSnapshot, KeyState, StoredSigningKey
from doorward.core.model.policy import TokenPolicy
from doorward.features.sessions.rules import ending
from tests.features import made

NOW = made.NOW


def test_the_longest_lifetime_is_the_longest_of_all_apps() -> None:
    policy = TokenPolicy(access_ttl=300)
    assert ending.longest_life(policy, []) == 300
    assert ending.longest_life(policy, [made.client(access_token_ttl=60)]) == 300
    assert ending.longest_life(policy, [made.client(access_token_ttl=900), made.client()]) == 900


def test_tokens_issued_before_a_shorter_lifetime_was_set_are_covered() -> None:
    policy = TokenPolicy(access_ttl=300)

    def signed(state: KeyState, life: int) -> ConfigSnapshot:
        key = StoredSigningKey("key_1", "ES256", state, {}, b"", NOW, token_life=life)
        return ConfigSnapshot(version=1, clients={"app": made.client(access_token_ttl=600)}, keys=(key,))

    assert ending.longest_living(policy, ConfigSnapshot(version=1)) == 300
    assert ending.longest_living(policy, signed("next", 0)) == 600
    for state in ("current", "previous"):
        assert ending.longest_living(policy, signed(state, 3600)) == 3600
    for state in ("retired", "revoked"):
        assert ending.longest_living(policy, signed(state, 3600)) == 600


def test_every_entry_outlives_its_tokens_by_the_margin() -> None:
    for entry in (
        ending.of_grant("grt", now=NOW, life=300),
        ending.of_session("ses", now=NOW, life=300),
        ending.of_account("usr", now=NOW, life=300),
        ending.of_token("jti", exp=NOW + 300, now=NOW),
    ):
        assert entry.expires_at == NOW + 300 + ending.MARGIN
    client = ending.of_client("app", now=NOW, life=300)
    assert client.before == NOW + ending.CATALOG_LAG
    assert client.expires_at == client.before + 300 + ending.MARGIN


def test_only_people_and_apps_have_a_bound_in_time() -> None:
    assert ending.of_account("usr", now=NOW, life=1).before == NOW
    assert ending.of_grant("grt", now=NOW, life=1).before is None
    assert ending.of_session("ses", now=NOW, life=1).kind == "sid"
