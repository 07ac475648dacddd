"""May this person try once more? Throttling that an attacker cannot use to lock somebody out (NIST SP 800-63B-4 §3.2.2, line 81)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from doorward.core.model.bucket import Bucket, Counted
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules.network import blocks, site

DAY: Final = 86_400
DAILY: Final = 10
"""The day's limit, in windows' worth: at the defaults 100 wrong passwords and 50 wrong codes (§3.2.2 allows no more than 100 in a row)."""

MAIL_SPREAD: Final = 4
"""How many times the mails that one requester may cause an address may get from all requesters together, in a window."""

Tag = Callable[[str], str]
"""A keyed hash, so that the counters name no one to a reader of the database."""

Guessed = Literal["password", "code", "mail_code"]


class Wait(Struct, frozen=True):
    """Too many tries; the next one is looked at from `until` on (seconds since the epoch). `stranger`: a device that the account
    knows would not have to wait."""

    until: int
    stranger: bool = False


class Guess(Struct, frozen=True):
    """What one guess at a secret is counted in: `own` before it is looked at, by account or known device; `networks` when it was
    wrong, by the requester's networks. Both are asked first."""

    own: tuple[Bucket, ...]
    networks: tuple[Bucket, ...]


class Mail(Struct, frozen=True):
    """What one mail that somebody makes us send is counted in: `own`, for this requester and this address; `shared`, for all
    requesters of the address in a window; `others`."""

    own: Bucket
    shared: Bucket | None
    others: tuple[Bucket, ...]

    @property
    def all(self) -> tuple[Bucket, ...]:
        """Each of them."""
        return (self.own, *([self.shared] if self.shared is not None else []), *self.others)


def guess(
    guessed: Guessed,
    who: str,
    address: str,
    *,
    known_device: bytes | None,
    policy: ThrottlePolicy,
    tag: Tag,
) -> Guess:
    """The counters of a guess at one person's secret from `address`. `who` is whatever was typed, so that unknown people have
    counters too (line 80).

    A device that this account knows has counters of its own, and only those: neither who fills the others from elsewhere nor who
    guesses behind the same address keeps the owner out (line 95). Codes share one counter across all sign-ins and sessions
    (ASVS 6.5.1, line 82).
    """
    if known_device is not None:
        where, limit, networks = f"device:{known_device.hex()}", policy.per_device, ()
    else:
        where, limit, networks = "elsewhere", policy.per_account, of_networks(address, policy=policy, tag=tag)
    if guessed != "password":
        limit = policy.per_code
    key = f"{guessed}:{where}:{who}"
    own = (
        Bucket(tag(key), limit, policy.window),
        Bucket(tag(f"day:{key}"), limit * DAILY, max(DAY, policy.window)),
    )
    return Guess(own, networks)


def of_networks(
    address: str, *, policy: ThrottlePolicy, tag: Tag, what: str = "address"
) -> tuple[Bucket, ...]:
    """The counters of wrong guesses from one network address, whoever and whatever they were aimed at (spraying): one for an IPv4
    address, one for each block of an IPv6 address."""
    return tuple(
        Bucket(tag(f"{what}:{block.name}"), policy.per_address * block.times, policy.window)
        for block in blocks(address)
    )


def of_estimates(address: str, *, policy: ThrottlePolicy, tag: Tag) -> tuple[Bucket, ...]:
    """The counters of estimates, some 50 ms of the interpreter each, that strangers at one address may cause: no guess is made
    with them, so that who signs up with a weak password for the fifth time does not use up their tries at signing in."""
    return of_networks(address, policy=policy, tag=tag, what="estimates")


def of_mail(
    email: str, address: str, *, known_device: bytes | None, policy: ThrottlePolicy, tag: Tag
) -> Mail:
    """The counters of mails that we may be made to send to one address: from a device that it knows; or from a stranger's network
    (IPv4, IPv6 /48), from all strangers in a window, from all of them in a day, and from this network to anybody."""
    if known_device is not None:
        key = f"mail:device:{known_device.hex()}:{email}"
        return Mail(Bucket(tag(key), policy.mails_per_address, policy.window), None, ())
    return Mail(
        Bucket(tag(f"mail:from:{site(address)}:{email}"), policy.mails_per_address, policy.window),
        Bucket(tag(f"mail:to:{email}"), policy.mails_per_address * MAIL_SPREAD, policy.window),
        (
            Bucket(tag(f"mail:day:{email}"), policy.mails_per_day, max(DAY, policy.window)),
            *of_networks(address, policy=policy, tag=tag, what="mail:by"),
        ),
    )


def may_mail(mail: Mail, counted: Sequence[Counted], now: int) -> tuple[Bucket, ...] | Wait:
    """Given what was counted in `mail.all`: the counters to count one more mail in, or how long to wait.

    The counter that all strangers share is there to be filled by anybody, so that it holds nobody up who has not asked for this
    address in the window: the owner, who comes from a network that is not the attacker's, gets a mail (line 95). What bounds the
    nuisance then is the day.
    """
    asked = any(bucket == mail.own and tries and bucket.runs(end, now) for bucket, tries, end in counted)
    shared = mail.shared
    if (
        shared is not None
        and not asked
        and full([one for one in counted if one[0] == shared], now) is not None
    ):
        shared = None
    kept = structs.replace(mail, shared=shared)
    wait = full([one for one in counted if one[0] in kept.all], now)
    return kept.all if wait is None else structs.replace(wait, stranger=mail.shared is not None)


def full(counted: Sequence[Counted], now: int) -> Wait | None:
    """Given (bucket, tries in its running window, end of that window): whether one more would be too many."""
    ends = [end for bucket, tries, end in counted if tries >= bucket.limit and bucket.runs(end, now)]
    return Wait(max(ends)) if ends else None
