"""Revocation entries: they cover every token that could still be valid."""

from __future__ import annotations

from doorward.core.model.config_snapshot import ConfigSnapshot, KeyState, StoredSigningKey
from doorward.core.model.policy import TokenPolicy
from doorward.features.sessions.rules import revocation
from tests.features import made

NOW = made.NOW


def test_the_longest_lifetime_is_the_longest_of_all_apps() -> None:
    policy = TokenPolicy(access_ttl=300)
    assert revocation.longest_life(policy, []) == 300
    assert revocation.longest_life(policy, [made.client(access_token_ttl=60)]) == 300
    assert revocation.longest_life(policy, [made.client(access_token_ttl=900), made.client()]) == 900


def test_tokens_issued_before_a_shorter_lifetime_was_set_are_covered() -> None:
    policy = TokenPolicy(access_ttl=300)

    def signed(state: KeyState, life: int) -> ConfigSnapshot:
        key = StoredSigningKey("key_1", "ES256", state, {}, b"", NOW, token_life=life)
        return ConfigSnapshot(version=1, clients={"app": made.client(access_token_ttl=600)}, keys=(key,))

    assert revocation.longest_living(policy, ConfigSnapshot(version=1)) == 300
    assert revocation.longest_living(policy, signed("next", 0)) == 600
    for state in ("current", "previous"):
        assert revocation.longest_living(policy, signed(state, 3600)) == 3600
    for state in ("retired", "revoked"):
        assert revocation.longest_living(policy, signed(state, 3600)) == 600


def test_every_entry_outlives_its_tokens_by_the_margin() -> None:
    for entry in (
        revocation.of_all("grant", "grt", now=NOW, life=300),
        revocation.of_all("sid", "ses", now=NOW, life=300),
        revocation.of_all("sub", "usr", now=NOW, life=300),
        revocation.of_token("jti", exp=NOW + 300, now=NOW),
    ):
        assert entry.expires_at == NOW + 300 + revocation.MARGIN
    client = revocation.of_client("app", now=NOW, life=300)
    assert client.before == NOW + revocation.SNAPSHOT_LAG
    assert client.expires_at == client.before + 300 + revocation.MARGIN


def test_only_people_and_apps_have_a_bound_in_time() -> None:
    assert revocation.of_all("sub", "usr", now=NOW, life=1).before == NOW
    assert revocation.of_all("grant", "grt", now=NOW, life=1).before is None
    assert revocation.of_all("sid", "ses", now=NOW, life=1).kind == "sid"
