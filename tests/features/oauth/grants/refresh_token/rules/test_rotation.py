"""Refresh token rotation: the decision table for every state of a grant's refresh token."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.grant import Spent
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.features.oauth.grants.refresh_token.rules.rotation import (
    Keep,
    LateRepeat,
    Repeat,
    Replayed,
    Rotate,
)
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken
from tests.features import made

NOW = made.NOW
FAMILY = b"f" * 32


def spent(name: str, at: int = NOW - 500) -> Spent:
    """The token of that letter, exchanged at that time."""
    return Spent(name.encode() * 32, at, f"after {name}".encode())


def decide(
    shown: str = "r",
    *recent: Spent,
    generation: int | None = None,
    family: bytes = FAMILY,
    token: dict[str, Any] | None = None,
    client: Client | None = None,
    grant: dict[str, Any] | None = None,
    leeway: int = 10,
    strict: bool = False,
    now: int = NOW,
) -> object:
    """The decision on token `shown` of a grant whose newest token is r, of generation 9."""
    return rotation.decide(
        PresentedRefreshToken(
            "grt_one", 9 if generation is None else generation, family, shown.encode() * 32
        ),
        made.refresh(**{"generation": 9, "recent": recent, **(token or {})}),
        made.grant(**(grant or {})),
        client=client or made.client(),
        policy=TokenPolicy(refresh_leeway=leeway, refresh_strict=strict),
        now=now,
    )


@pytest.mark.requirement(18)
def test_in_strict_mode_a_late_repeat_is_a_replay_even_if_its_successor_is_unused() -> None:
    assert decide("p", spent("p", NOW - 9), strict=True) == Repeat(b"after p")
    assert decide("p", spent("p", NOW - 10), strict=True) == Replayed()
    assert decide("p", spent("p", NOW - 10)) == Repeat(b"after p")
    # two requests that crossed on the wire, and a token spent long before
    assert decide("q", spent("p", NOW - 1), spent("q", NOW - 9), strict=True) == Repeat(b"after q")
    assert decide("q", spent("p", NOW - 1), spent("q", NOW - 10), strict=True) == Replayed()
    assert decide(strict=True) == Rotate()


@pytest.mark.requirement(18)
def test_the_decision_table() -> None:
    assert decide() == Rotate()
    assert decide("p", spent("p")) == Repeat(b"after p")
    assert decide("q", spent("p", NOW - 9), spent("q")) == Repeat(b"after q")
    assert decide("q", spent("p", NOW - 10), spent("q")) == Replayed()
    assert decide("o", spent("p", NOW - 1), spent("q", NOW - 9), spent("o")) == Repeat(b"after o")
    assert decide("o", spent("p", NOW - 1), spent("q", NOW - 10), spent("o")) == Replayed()
    assert decide("a", spent("p", NOW - 1), spent("q", NOW - 9), generation=3) == Replayed()
    assert decide("a", generation=8) == Replayed()


DAY = 86_400
PUBLIC = made.client(auth_method="none", secrets=())


def public(shown: str, *recent: Spent, late_at: int | None = None, leeway: int = 60) -> object:
    """The decision on a token of an app without a credential; a is a token spent long ago."""
    generation = 3 if shown == "a" else None
    return decide(
        shown, *recent, client=PUBLIC, token={"late_at": late_at}, leeway=leeway, generation=generation
    )


@pytest.mark.requirement(18)
def test_the_decision_table_of_public_apps() -> None:
    p = b"after p"
    assert public("r") == Rotate()
    assert public("p", spent("p", NOW - 59)) == Repeat(p)
    assert public("p", spent("p", NOW - 60)) == LateRepeat(p)
    assert public("p", spent("p", NOW - 20 * DAY)) == LateRepeat(p)
    # the window opened by a late repeat
    assert public("p", spent("p", NOW - DAY), late_at=NOW) == Repeat(p)
    assert public("p", spent("p", NOW - DAY), late_at=NOW - 59) == Repeat(p)
    assert public("p", spent("p", NOW - DAY), late_at=NOW - 60) == Replayed()
    assert public("p", spent("p", NOW - DAY), late_at=NOW - DAY + 1) == Replayed()
    assert public("p", spent("p", NOW - DAY), late_at=NOW - DAY) == LateRepeat(p)
    # a token spent within the leeway is not a late repeat
    assert public("p", spent("p", NOW - 5), late_at=NOW - 3600) == Repeat(p)


@pytest.mark.requirement(18)
def test_a_late_repeat_never_revives_an_older_token_of_the_chain() -> None:
    for late_at in (None, NOW, NOW - 3600, NOW - DAY):
        assert public("q", spent("p", NOW - 60), spent("q", NOW - 900), late_at=late_at) == Replayed()
        assert public("a", spent("p", NOW - 1), late_at=late_at) == Replayed()


@pytest.mark.requirement(18)
def test_within_the_window_the_parent_is_repeated_even_if_its_successor_is_used() -> None:
    used = (spent("p", NOW - 20), spent("q", NOW - DAY))
    assert public("q", *used, late_at=NOW - 30) == Repeat(b"after q")
    # a spent token presented shortly after its successor was used is as late as one presented before
    assert public("q", *used) == LateRepeat(b"after q")
    assert public("q", *used, late_at=NOW - 3600) == Replayed()


@pytest.mark.requirement(18)
def test_without_leeway_two_concurrent_requests_of_a_public_app_are_not_a_replay() -> None:
    assert public("p", spent("p", NOW - 9), leeway=0) == Repeat(b"after p")
    assert public("p", spent("p", NOW - 10), leeway=0) == LateRepeat(b"after p")
    assert public("p", spent("p", NOW - 500), late_at=NOW - 9, leeway=0) == Repeat(b"after p")
    assert public("p", spent("p", NOW - 500), late_at=NOW - 10, leeway=0) == Replayed()
    assert public("q", spent("p"), spent("q"), leeway=0) == Replayed()


@pytest.mark.requirement(18)
def test_in_strict_mode_there_is_no_late_repeat() -> None:
    for late_at in (None, NOW, NOW - 2 * DAY):
        token = {"late_at": late_at}
        assert decide("p", spent("p", NOW - 10), client=PUBLIC, token=token, strict=True) == Replayed()


@pytest.mark.requirement(18)
def test_the_time_of_a_late_repeat_is_kept_by_later_rotations() -> None:
    token = made.refresh(late_at=NOW - 7)
    assert rotation.rotated(token, new_hash=b"n" * 32, sealed=b"x", leeway=60, now=NOW).late_at == NOW - 7


@pytest.mark.requirement(18)
def test_an_unused_successor_is_repeated_even_without_leeway_until_the_last_second() -> None:
    assert decide("p", spent("p"), leeway=0, now=NOW + 86_399) == Repeat(b"after p")
    assert decide("q", spent("p", NOW), spent("q"), leeway=0) == Replayed()


@pytest.mark.requirement(18)
def test_without_the_family_secret_a_spent_token_is_not_a_replay() -> None:
    for shown in ("r", "p", "a"):
        assert isinstance(decide(shown, spent("p"), generation=1, family=b"x" * 32), OAuthError)


def test_a_token_newer_than_the_database_is_refused_without_a_replay() -> None:
    assert isinstance(decide("n", generation=10), OAuthError)
    assert isinstance(decide("n", generation=9), OAuthError)


def test_a_slightly_slow_clock_does_not_turn_crossed_requests_into_a_replay() -> None:
    assert decide("q", spent("p", NOW + 59), spent("q", NOW + 50)) == Repeat(b"after q")


@pytest.mark.requirement(18)
def test_a_clock_set_back_by_minutes_does_not_excuse_a_replay() -> None:
    assert decide("q", spent("p", NOW + 60), spent("q", NOW + 50)) == Replayed()
    # a client whose answer was lost is not a thief, whatever the clock says
    assert decide("p", spent("p", NOW + 300)) == Repeat(b"after p")


@pytest.mark.requirement(19)
def test_without_rotation_the_token_is_kept() -> None:
    signed = made.client(rotation=False, auth_method="private_key_jwt")
    assert decide(client=signed) == Keep()


@pytest.mark.requirement(19)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_without_a_private_key_always_rotates(method: str) -> None:
    assert decide(client=made.client(rotation=False, auth_method=method)) == Rotate()


@pytest.mark.requirement(20)
@pytest.mark.parametrize("end", [{"grant": {"expires_at": NOW}}, {"token": {"expires_at": NOW}}])
@pytest.mark.parametrize("shown", ["r", "p", "a"])
def test_after_the_absolute_end_nothing_is_issued(end: dict[str, Any], shown: str) -> None:
    assert isinstance(decide(shown, spent("p"), generation=1, **end), OAuthError)


@pytest.mark.parametrize("shown", ["r", "p", "a"])
def test_an_ended_grant_another_app_or_a_missing_grant_type_is_refused_without_a_replay(shown: str) -> None:
    for error in (
        decide(shown, spent("p"), generation=1, grant={"ended_at": NOW - 1}),
        decide(shown, spent("p"), generation=1, client=made.client(id="app_other")),
        decide(shown, spent("p"), generation=1, client=made.client(grant_types=("authorization_code",))),
    ):
        assert isinstance(error, OAuthError)


@pytest.mark.requirement(20)
def test_the_next_token_keeps_the_absolute_end() -> None:
    token = made.refresh()
    after = rotation.rotated(token, new_hash=b"n" * 32, sealed=b"x", leeway=10, now=NOW)
    assert (after.hash, after.grant_id, after.expires_at) == (b"n" * 32, token.grant_id, token.expires_at)
    assert (after.family_hash, after.generation, after.created_at) == (token.family_hash, 2, NOW)
    assert after.recent == (Spent(token.hash, NOW, b"x"),)


@pytest.mark.requirement(18)
def test_a_row_remembers_only_tokens_that_may_still_be_in_transit() -> None:
    token = made.refresh()
    for second in range(0, 40, 4):
        token = rotation.rotated(
            token, new_hash=bytes([second]) * 32, sealed=b"", leeway=10, now=NOW + second
        )
    # spent at 36; its parent, whose successor was spent at 36; then the tokens whose successors were spent at 32 and 28
    assert [one.at - NOW for one in token.recent] == [36, 32, 28, 24]
    strict = rotation.rotated(token, new_hash=b"z" * 32, sealed=b"", leeway=0, now=NOW + 40)
    assert [one.at - NOW for one in strict.recent] == [40]


def test_a_row_stays_small_with_very_fast_rotation() -> None:
    token = made.refresh()
    for number in range(200):
        token = rotation.rotated(token, new_hash=number.to_bytes(32, "big"), sealed=b"", leeway=300, now=NOW)
    assert len(token.recent) == rotation.MOST_RECENT
