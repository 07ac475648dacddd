"""Rate limits on guesses and mails: when an attempt is refused, and which counters it uses."""

from __future__ import annotations

import pytest

from doorward.core.model.bucket import Bucket, Counted
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules import attempts
from doorward.features.rate_limits.rules.attempts import CODE, Guess, Guessed, MailBuckets, Wait

POLICY = ThrottlePolicy()
DEVICE = b"\x01" * 32


PASSWORD = Guessed("password", short=False)


def tag(text: str) -> str:
    return f"<{text}>"


def guess(
    known: bytes | None = None,
    who: str = "ada@example.com",
    what: Guessed = PASSWORD,
    address: str = "192.0.2.1",
) -> Guess:
    return attempts.guess(what, who, address, known_device=known, policy=POLICY, tag=tag)


def person(known: bytes | None = None, who: str = "ada@example.com") -> tuple[Bucket, ...]:
    return guess(known, who).own


def mail(address: str = "192.0.2.1", known: bytes | None = None) -> MailBuckets:
    return attempts.of_mail("ada@example.com", address, known_device=known, policy=POLICY, tag=tag)


def counted(buckets: tuple[Bucket, ...], **tries: int) -> list[Counted]:
    """Counts for the buckets, by the beginning of a counter's name."""

    def found(bucket: Bucket) -> int:
        return next((n for name, n in tries.items() if bucket.key.startswith(f"<mail:{name}:")), 0)

    return [(bucket, found(bucket), 500) for bucket in buckets]


@pytest.mark.requirement(81)
def test_a_known_device_shares_no_counter_with_other_requesters() -> None:
    ours, theirs = {b.key for b in person(DEVICE)}, {b.key for b in person()}
    assert not ours & theirs


@pytest.mark.requirement(81)
def test_there_is_a_window_counter_and_a_day_counter_of_at_most_a_hundred_attempts() -> None:
    window, day = person()
    assert (window.limit, window.window) == (POLICY.per_account, POLICY.window)
    assert (day.limit, day.window) == (100, 86_400)


@pytest.mark.requirement(80)
def test_unknown_people_have_the_same_counters() -> None:
    known, unknown = person(), person(who="nobody@example.com")
    assert [(b.limit, b.window) for b in known] == [(b.limit, b.window) for b in unknown]


@pytest.mark.requirement(82)
def test_codes_are_counted_by_person_instead_of_by_sign_in_or_session() -> None:
    first = guess(who="usr_1", what=CODE).own
    assert first == guess(who="usr_1", what=CODE, address="203.0.113.4").own
    assert first[0].limit == POLICY.per_code
    assert {b.key for b in first}.isdisjoint({b.key for b in person(who="usr_1")})


def test_the_attempt_that_reaches_the_limit_is_still_checked() -> None:
    bucket = Bucket("k", 3, 900)
    assert attempts.full([(bucket, 2, 1000)], 500) is None
    assert attempts.full([(bucket, 3, 1000)], 500) == Wait(1000)


def test_an_expired_window_refuses_nothing_and_the_last_one_to_end_decides() -> None:
    bucket = Bucket("k", 1, 900)
    assert attempts.full([(bucket, 9, 1000)], 1000) is None
    assert attempts.full([(bucket, 9, 1000), (bucket, 9, 1500)], 999) == Wait(1500)


@pytest.mark.requirement(95)
def test_a_known_device_uses_only_its_own_counters() -> None:
    assert guess(DEVICE).networks == ()
    assert guess(DEVICE).own[0].limit == POLICY.per_device
    assert mail(known=DEVICE).others == ()
    assert mail(known=DEVICE).shared is None
    assert not {bucket.key for bucket in mail(known=DEVICE).all} & {bucket.key for bucket in mail().all}


@pytest.mark.requirement(96)
def test_guesses_of_every_kind_count_for_the_same_networks() -> None:
    kinds = (PASSWORD, CODE, Guessed("mail_code"))
    assert len({guess(what=kind).networks for kind in kinds}) == 1
    assert len({guess(what=kind).own for kind in kinds}) == 3
    assert [bucket.limit for bucket in guess().networks] == [100]
    assert [bucket.limit for bucket in guess(address="2001:db8::7").networks] == [100, 400, 1600]


def test_mails_are_counted_for_each_requester_and_in_total() -> None:
    mine, other = mail(), mail("192.0.2.9")
    both = {bucket.key for bucket in mine.all} & {bucket.key for bucket in other.all}
    assert both == {"<mail:to:ada@example.com>", "<mail:day:ada@example.com>"}
    # a /48 is one requester
    assert mail("2001:db8:1:2::3").own == mail("2001:db8:1:ffff::4").own
    assert mail("2001:db8:1:2::3").own != mail("2001:db8:2:2::3").own


@pytest.mark.requirement(95)
def test_a_new_requester_gets_a_mail_although_the_shared_counter_is_full() -> None:
    asked = mail()
    assert attempts.may_mail(asked, counted(asked.all), 100) == asked.all
    full = attempts.may_mail(asked, counted(asked.all, to=20), 100)
    assert isinstance(full, tuple)
    assert asked.shared not in full
    assert set(full) == set(asked.all) - {asked.shared}
    # its second mail is refused like everyone's
    assert attempts.may_mail(asked, counted(asked.all, to=20, **{"from": 1}), 100) == Wait(500, stranger=True)
    # after its window has ended it counts as new again
    assert isinstance(attempts.may_mail(asked, [(b, 20, 100 if b == asked.own else 500) for b in (asked.own, asked.shared) if b], 100), tuple)  # fmt: skip


@pytest.mark.requirement(95)
def test_strangers_can_cause_at_most_fifty_mails_a_day() -> None:
    asked = mail()
    day = asked.others[0]
    assert (day.limit, day.window) == (50, 86_400)
    assert attempts.may_mail(asked, counted(asked.all, day=49), 100) == asked.all
    assert attempts.may_mail(asked, counted(asked.all, day=50), 100) == Wait(500, stranger=True)
    device = mail(known=DEVICE)
    assert attempts.may_mail(device, counted(device.all, day=50, to=20), 100) == device.all
    assert attempts.may_mail(device, counted(device.all, device=5), 100) == Wait(500)
