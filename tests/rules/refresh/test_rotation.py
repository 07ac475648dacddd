"""Is every state of a refresh chain decided as the table says?"""

from __future__ import annotations

from typing import Any

import pytest

from doorward.model.client import Client
from doorward.model.grant import RefreshToken
from doorward.model.refusal import Refusal
from doorward.rules.refresh import rotation
from doorward.rules.refresh.rotation import Keep, Repeat, Replayed, Rotate
from tests.rules import made

NOW = made.NOW
SPENT = {"spent_at": NOW - 500, "successor_hash": b"s" * 32, "successor_sealed": b"sealed"}


def decide(
    token: dict[str, Any] | None = None,
    successor: RefreshToken | None = None,
    *,
    client: Client | None = None,
    grant: dict[str, Any] | None = None,
    leeway: int = 10,
    now: int = NOW,
) -> object:
    return rotation.decide(
        made.refresh(**(token or {})),
        made.grant(**(grant or {})),
        successor,
        client=client or made.client(),
        leeway=leeway,
        now=now,
    )


@pytest.mark.requirement(18)
def test_the_table() -> None:
    assert decide() == Rotate()
    assert decide(SPENT, made.refresh()) == Repeat(b"sealed")
    assert decide(SPENT, made.refresh(spent_at=NOW - 9)) == Repeat(b"sealed")
    assert decide(SPENT, made.refresh(spent_at=NOW - 10)) == Replayed()
    assert decide(SPENT, None) == Replayed()
    assert decide({"spent_at": NOW}, made.refresh()) == Replayed()


@pytest.mark.requirement(18)
def test_an_unused_successor_is_repeated_even_without_leeway_and_at_the_last_second() -> None:
    assert decide(SPENT, made.refresh(), leeway=0, now=NOW + 86_399) == Repeat(b"sealed")
    assert decide(SPENT, made.refresh(spent_at=NOW), leeway=0) == Replayed()


@pytest.mark.requirement(19)
def test_without_rotation_the_token_stays() -> None:
    signed = made.client(rotation=False, auth_method="private_key_jwt")
    assert decide(client=signed) == Keep()


@pytest.mark.requirement(19)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_whoever_holds_no_private_key_rotates_whatever_is_registered(method: str) -> None:
    assert decide(client=made.client(rotation=False, auth_method=method)) == Rotate()


@pytest.mark.requirement(20)
@pytest.mark.parametrize("end", [{"grant": {"expires_at": NOW}}, {"token": {"expires_at": NOW}}])
@pytest.mark.parametrize("spent", [{}, SPENT])
def test_after_the_absolute_end_nothing_is_given(end: dict[str, Any], spent: dict[str, Any]) -> None:
    refusal = decide({**spent, **end.get("token", {})}, made.refresh(), grant=end.get("grant"))
    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize("spent", [{}, SPENT])
def test_an_ended_family_another_app_or_a_missing_grant_type_is_refused_and_never_a_replay(
    spent: dict[str, Any],
) -> None:
    used = made.refresh(spent_at=NOW - 100)
    for refusal in (
        decide(spent, used, grant={"ended_at": NOW - 1}),
        decide({**spent, "ended_at": NOW - 1}, used),
        decide(spent, used, client=made.client(id="app_other")),
        decide(spent, used, client=made.client(grant_types=("authorization_code",))),
    ):
        assert isinstance(refusal, Refusal)


@pytest.mark.requirement(20)
def test_the_next_link_has_the_same_end() -> None:
    token = made.refresh()
    spent, fresh = rotation.links(token, successor_hash=b"n" * 32, successor_sealed=b"x", now=NOW)
    assert (spent.hash, spent.spent_at, spent.successor_hash) == (token.hash, NOW, b"n" * 32)
    assert (fresh.hash, fresh.grant_id, fresh.expires_at) == (b"n" * 32, token.grant_id, token.expires_at)
    assert fresh.spent_at is None
    assert fresh.created_at == NOW
