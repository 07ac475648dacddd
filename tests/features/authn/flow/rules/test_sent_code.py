"""Sent codes: when one may be sent, and which one is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.core.model.sent_code import SentCode
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.sent_code import MaySend, NotYet, SentCodeMissed

NOW = 1_000_000
RIGHT, WRONG = b"right", b"wrong"


def sent(request: str = "sin_1", **changes: Any) -> SentCode:
    code = SentCode(
        id="cod_1",
        request=request,
        account_id="usr_1",
        kind="email_code",
        factor_id="fac_1",
        code_hash=RIGHT,
        message_id="mai_1",
        sends=1,
        tries=1,
        created_at=NOW,
        expires_at=NOW + rule.TTL,
    )
    return replace(code, **changes)


def may(codes: list[SentCode], now: int = NOW, *, known: bool = False) -> MaySend | NotYet:
    return rule.may_send(codes, "sin_1", "email_code", now, known_device=known)


def checked(
    code: SentCode | None, shown: bytes = RIGHT, now: int = NOW, request: str = "sin_1"
) -> str | None:
    missed = rule.check(code, shown, request=request, kind="email_code", now=now)
    return None if missed is None else missed.why


@pytest.mark.requirement(83)
def test_a_code_lives_ten_minutes_at_most() -> None:
    assert rule.TTL <= 600
    assert checked(sent(), now=NOW + rule.TTL - 1) is None
    assert checked(sent(), now=NOW + rule.TTL) == "expired"


@pytest.mark.requirement(83)
def test_a_code_is_accepted_for_its_own_request_and_kind_only() -> None:
    assert checked(sent()) is None
    assert checked(sent(), request="sin_2") == "unknown"
    assert checked(sent(kind="sms")) == "unknown"
    assert checked(None) == "unknown"


@pytest.mark.requirement(82)
def test_a_used_code_is_refused() -> None:
    assert checked(sent(used_at=NOW)) == "used"


@pytest.mark.requirement(82)
def test_the_fifth_guess_is_the_last() -> None:
    assert checked(sent(tries=rule.TRIES)) is None
    assert checked(sent(tries=rule.TRIES), WRONG) == "code"
    # right or wrong: the answer reveals nothing
    for shown in (RIGHT, WRONG):
        assert checked(sent(tries=rule.TRIES + 1), shown) == "spent"


def test_the_first_message_may_always_be_sent() -> None:
    assert may([]) == MaySend(1)
    assert may([sent("sin_2")]) == MaySend(1)
    assert may([sent(kind="sms")]) == MaySend(1)


@pytest.mark.requirement(83)
def test_a_minute_lies_between_two_messages() -> None:
    last = sent()
    for after in (0, 1, rule.PAUSE - 1):
        assert may([last], NOW + after) == NotYet(NOW + rule.PAUSE, "pause")
    assert may([last], NOW + rule.PAUSE) == MaySend(2, (last,))


def test_a_clock_that_went_backwards_does_not_lengthen_the_pause() -> None:
    assert may([sent()], NOW - 10_000) == NotYet(NOW - 10_000 + rule.PAUSE, "pause")


@pytest.mark.requirement(83)
def test_a_request_gets_five_messages_while_its_codes_live() -> None:
    last = sent(sends=rule.SENDS)
    assert may([last], NOW + rule.PAUSE) == NotYet(last.expires_at, "request")
    assert may([replace(last, used_at=NOW)], NOW + rule.PAUSE) == NotYet(last.expires_at, "request")
    assert may([last], last.expires_at) == MaySend(1)


@pytest.mark.requirement(83)
def test_an_account_has_three_live_codes_at_most() -> None:
    others = [sent(f"sin_{n}", id=f"cod_{n}", expires_at=NOW + 100 * n) for n in range(2, 2 + rule.LIVE)]
    assert may(others) == NotYet(NOW + 200, "account")
    for gone in (replace(others[0], used_at=NOW), replace(others[0], expires_at=NOW)):
        assert may([gone, *others[1:]]) == MaySend(1)
    # a new code replaces that of its own request: the number stays
    own = sent(created_at=NOW - rule.PAUSE)
    assert may([own, *others[1:]]) == MaySend(2, (own,))


@pytest.mark.requirement(83)
def test_on_a_known_device_a_code_comes_however_many_others_asked_for() -> None:
    others = [sent(f"sin_{n}", id=f"cod_{n}", expires_at=NOW + 100 * n) for n in range(2, 7)]
    assert may(others) == NotYet(others[2].expires_at, "account")
    assert may(others, known=True) == MaySend(1, tuple(others[:3]))
    assert may(others[:2], known=True) == MaySend(1)
    # its own limits stay
    assert may([sent(), *others], known=True) == NotYet(NOW + rule.PAUSE, "pause")


def test_a_used_code_is_not_replaced() -> None:
    assert may([sent(used_at=NOW + 1)], NOW + rule.PAUSE) == MaySend(2)


@given(
    st.lists(
        st.builds(
            lambda request, sends, tries, created, used: sent(
                request,
                id=f"cod_{request}_{sends}",
                sends=sends,
                tries=tries,
                created_at=NOW + created,
                expires_at=NOW + created + rule.TTL,
                used_at=used,
            ),
            st.sampled_from(["sin_1", "sin_2", "sin_3", "sin_4", "sin_5"]),
            st.integers(1, 6),
            st.integers(0, 7),
            st.integers(-700, 0),
            st.one_of(st.none(), st.just(NOW - 1)),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_whatever_was_sent_the_limits_hold(codes: list[SentCode], known: bool) -> None:
    outcome = may(codes, known=known)
    newest = rule.of_request(codes, "sin_1", "email_code")
    if isinstance(outcome, NotYet):
        assert NOW < outcome.until <= NOW + rule.TTL
        assert not (known and outcome.why == "account")
        return
    assert outcome.number <= rule.SENDS
    left = [code for code in rule.live(codes, NOW) if code not in outcome.ends]
    assert len(left) + 1 <= rule.LIVE
    assert not any(code.request == "sin_1" for code in left)
    assert known or all(code.request == "sin_1" for code in outcome.ends)
    if newest is not None and newest.expires_at > NOW:
        assert NOW - newest.created_at >= rule.PAUSE


@given(st.binary(min_size=1, max_size=20), st.integers(0, 8), st.integers(-10, 700), st.booleans())
def test_only_a_live_code_and_its_own_hash_are_accepted(
    shown: bytes, tries: int, after: int, used: bool
) -> None:
    code = sent(tries=tries, used_at=NOW if used else None)
    right = not used and tries <= rule.TRIES and after < rule.TTL
    assert (checked(code, shown, NOW + after) is None) == (right and shown == RIGHT)
    assert isinstance(
        rule.check(code, WRONG, request="sin_1", kind="email_code", now=NOW + after), SentCodeMissed
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ada@example.com", "a•••@example.com"), ("a@b.example", "a•••@b.example"), ("", "•••")],
)
def test_an_address_is_shown_in_part(address: str, shown: str) -> None:
    assert rule.masked(address) == shown
