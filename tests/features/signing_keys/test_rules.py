"""Key life cycle: the steps that are due for the signing keys."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.client import Client, SigningAlgorithm
from doorward.core.model.config_snapshot import Api, KeyState, StoredSigningKey
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rules import Change, Lengthen, Promote, Publish, Replace, Retire, Start
from doorward_verify.encoding import b64url_encode

DAY = 86_400
NOW = 1_800_000_000


def key(
    name: str,
    state: KeyState,
    *,
    age: int,
    alg: SigningAlgorithm = "ES256",
    retired: int = 0,
    life: int = 300,
) -> StoredSigningKey:
    return StoredSigningKey(
        id=name,
        alg=alg,
        state=state,
        public_jwk={},
        sealed=b"",
        created_at=NOW - age,
        activated_at=NOW - age if state == "current" else None,
        retired_at=NOW - retired if retired else None,
        token_life=life,
    )


def due(
    *keys: StoredSigningKey,
    needed: tuple[SigningAlgorithm, ...] = ("ES256",),
    rotate_after: int = 90 * DAY,
    access_life: int = 300,
    id_life: int = 300,
) -> list[Change]:
    return key_life.due(
        keys,
        needed,
        now=NOW,
        publish_ahead=DAY,
        rotate_after=rotate_after,
        access_life=access_life,
        id_life=id_life,
        margin=60,
    )


def test_the_first_key_signs_at_once_and_the_next_key_follows() -> None:
    assert due() == [Start("ES256")]
    assert due(key("a", "current", age=0)) == [Publish("ES256")]
    assert due(key("a", "current", age=0), key("b", "next", age=0)) == []


@pytest.mark.requirement(52)
def test_the_next_key_is_published_a_day_before_it_signs() -> None:
    old = key("a", "current", age=91 * DAY)
    assert due(old, key("b", "next", age=DAY - 1)) == []
    ripe = key("b", "next", age=DAY)
    assert due(old, ripe) == [Promote(ripe, old)]


@pytest.mark.requirement(52)
def test_the_old_key_stays_until_its_last_token_has_expired() -> None:
    current, following = key("b", "current", age=DAY), key("c", "next", age=DAY)
    assert due(key("a", "previous", age=99 * DAY, retired=359), current, following) == []
    gone = key("a", "previous", age=99 * DAY, retired=360)
    assert due(gone, current, following) == [Retire(gone)]


@pytest.mark.requirement(52)
def test_tokens_issued_before_a_shorter_lifetime_was_set_keep_their_key() -> None:
    current, following = key("b", "current", age=DAY), key("c", "next", age=DAY)
    old = key("a", "previous", age=99 * DAY, retired=3659, life=3600)
    assert due(old, current, following) == []
    gone = key("a", "previous", age=99 * DAY, retired=3660, life=3600)
    assert due(gone, current, following) == [Retire(gone)]
    assert due(key("a", "previous", age=99 * DAY, retired=3659), current, following, id_life=3600) == []


def test_a_key_stores_the_longest_lifetime_of_its_tokens() -> None:
    current, following = key("b", "current", age=DAY), key("c", "next", age=DAY, life=0)
    assert due(current, following, access_life=301) == [Lengthen(current)]
    assert due(current, following, access_life=299) == []


def test_a_revoked_current_key_is_replaced_at_once_however_young_the_next() -> None:
    following = key("b", "next", age=1)
    assert due(key("a", "revoked", age=9), following) == [Promote(following, None)]


def test_nothing_rotates_automatically_if_disabled() -> None:
    assert due(key("a", "current", age=999 * DAY), key("b", "next", age=999 * DAY), rotate_after=0) == []


def test_each_algorithm_has_its_own_chain() -> None:
    held = [key("a", "current", age=1), key("b", "next", age=1)]
    assert due(*held, needed=("ES256", "RS256")) == [Start("RS256")]
    rsa = key("c", "current", age=1, alg="RS256")
    assert due(*held, rsa, needed=("ES256", "RS256")) == [Publish("RS256")]


def test_algorithms_are_those_of_apps_and_apis_and_always_es256() -> None:
    app = Client(id="app_1", name="a", auth_method="none", created_at=0, id_token_signed_alg="ES256")
    rsa = structs.replace(app, id_token_signed_alg="RS256", userinfo_signed_alg="Ed25519")
    assert key_life.algorithms([], []) == ("ES256",)
    assert key_life.algorithms([app, rsa, rsa], []) == ("ES256", "RS256", "Ed25519")
    from_before = structs.replace(app, access_token_signed_alg="Ed25519")
    assert key_life.algorithms([from_before], []) == ("ES256", "Ed25519")
    service = structs.replace(rsa, grant_types=("client_credentials",))
    assert key_life.algorithms([service], []) == ("ES256",)
    api = Api("api_1", "https://api.example.com", "a", (), 0)
    assert key_life.algorithms([], [api, structs.replace(api, signing_alg="RS256")]) == ("ES256", "RS256")


def test_an_algorithm_without_a_current_key_is_missing() -> None:
    held = [key("a", "current", age=1), key("b", "next", age=1, alg="RS256")]
    assert key_life.missing(held, ("ES256", "RS256", "Ed25519")) == ("RS256", "Ed25519")


def of_bits(made: StoredSigningKey, bits: int) -> StoredSigningKey:
    return structs.replace(
        made, public_jwk={"n": b64url_encode((1 << (bits - 1)).to_bytes(bits // 8, "big"))}
    )


def test_rsa_keys_of_another_size_are_replaced_the_next_at_once_and_the_current_by_rotation() -> None:
    def rsa(name: str, state: KeyState, bits: int, age: int) -> StoredSigningKey:
        return of_bits(key(name, state, age=age, alg="RS256"), bits)

    old, old_next = rsa("a", "current", 3072, 2 * DAY), rsa("b", "next", 3072, 2 * DAY)
    assert due(old, old_next, needed=("RS256",)) == [Replace(old_next)]
    assert due(old, old_next, needed=("RS256",), rotate_after=0) == [Replace(old_next)]
    young = rsa("c", "next", 2048, DAY - 1)
    assert due(old, young, needed=("RS256",)) == []
    ripe = rsa("c", "next", 2048, DAY)
    assert due(old, ripe, needed=("RS256",)) == [Promote(ripe, old)]
    # with manual rotation only, the operator decides
    assert due(old, ripe, needed=("RS256",), rotate_after=0) == []
    assert due(rsa("c", "current", 2048, DAY), rsa("d", "next", 2048, DAY), needed=("RS256",)) == []
