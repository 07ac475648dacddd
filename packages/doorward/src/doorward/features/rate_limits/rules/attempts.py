"""Throttling of guesses and mails that an attacker cannot use to lock an account (NIST SP 800-63B-4 §3.2.2, R81)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.bucket import Bucket, Counted
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules.network import blocks, site

DAY: Final = 86_400
DAILY: Final = 10
"""The daily limit, as a multiple of the window's: with the defaults 100 wrong passwords and 50 wrong codes (§3.2.2 allows no more than
100 in a row)."""

MAIL_SPREAD: Final = 4
"""Mails per window to one address from all requesters, as a multiple of those from one requester."""

Tag = Callable[[str], str]
"""A keyed hash, so that counters in the database reveal no names."""


class Guessed(Struct, frozen=True):
    """A kind of secret that can be guessed. `name` is hashed into the keys of its counters and never changes; `short`: it is a code of a
    few digits, of which fewer may be tried."""

    name: str
    short: bool = True


CODE: Final = Guessed("code")
"""Codes of all second factors."""


class Wait(Struct, frozen=True):
    """Too many attempts; the next one is checked from `until` on (seconds since the epoch). `stranger`: a device known to the account
    would not have to wait."""

    until: int
    stranger: bool = False


class Guess(Struct, frozen=True):
    """The counters of one guess at a secret: `own`, by account or known device, counted before the check; `networks`, by the
    requester's networks, counted after a wrong guess. Both limits apply before the check. `known`: it came from a device known to the account."""

    own: tuple[Bucket, ...]
    networks: tuple[Bucket, ...]
    known: bool = False


class MailBuckets(Struct, frozen=True):
    """The counters of one mail sent on request: `own`, for this requester and this address; `shared`, for all requesters of the address
    in a window; `others`."""

    own: Bucket
    shared: Bucket | None
    others: tuple[Bucket, ...]

    @property
    def all(self) -> tuple[Bucket, ...]:
        """All counters."""
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
    """The counters of a guess at one person's secret from `address`. `who` is the typed name, so that unknown people have counters too
    (R80).

    A device known to the account has its own counters only, so that an attacker elsewhere or behind the same address cannot keep the
    owner out (R95). Codes share one counter across all sign-ins and sessions (ASVS 6.5.1, R82).
    """
    if known_device is not None:
        where, limit, networks = f"device:{known_device.hex()}", policy.per_device, ()
    else:
        where, limit, networks = "elsewhere", policy.per_account, of_networks(address, policy=policy, tag=tag)
    if guessed.short:
        limit = policy.per_code
    key = f"{guessed.name}:{where}:{who}"
    own = (
        Bucket(tag(key), limit, policy.window),
        Bucket(tag(f"day:{key}"), limit * DAILY, max(DAY, policy.window)),
    )
    return Guess(own, networks, known_device is not None)


def of_networks(
    address: str, *, policy: ThrottlePolicy, tag: Tag, what: str = "address"
) -> tuple[Bucket, ...]:
    """The counters of wrong guesses from one network address, at any account (spraying): one for an IPv4 address, one for each block of
    an IPv6 address."""
    return tuple(
        Bucket(tag(f"{what}:{block.name}"), policy.per_address * block.times, policy.window)
        for block in blocks(address)
    )


def of_estimates(address: str, *, policy: ThrottlePolicy, tag: Tag) -> tuple[Bucket, ...]:
    """The counters of strength estimates from one address, each about 50 ms of the interpreter. They are separate from guesses, so that
    weak passwords at sign-up do not use up attempts to sign in."""
    return of_networks(address, policy=policy, tag=tag, what="estimates")


def of_mail(
    email: str, address: str, *, known_device: bytes | None, policy: ThrottlePolicy, tag: Tag
) -> MailBuckets:
    """The counters of mails to one address. From a known device: those of the device. From another: its network (IPv4, IPv6 /48), all
    such requesters in a window, all of them in a day, and this network to any address."""
    if known_device is not None:
        key = f"mail:device:{known_device.hex()}:{email}"
        return MailBuckets(Bucket(tag(key), policy.mails_per_address, policy.window), None, ())
    return MailBuckets(
        Bucket(tag(f"mail:from:{site(address)}:{email}"), policy.mails_per_address, policy.window),
        Bucket(tag(f"mail:to:{email}"), policy.mails_per_address * MAIL_SPREAD, policy.window),
        (
            Bucket(tag(f"mail:day:{email}"), policy.mails_per_day, max(DAY, policy.window)),
            *of_networks(address, policy=policy, tag=tag, what="mail:by"),
        ),
    )


def may_mail(mail: MailBuckets, counted: Sequence[Counted], now: int) -> tuple[Bucket, ...] | Wait:
    """From the counts of `mail.all`: the counters for one more mail, or the time to wait.

    Anybody can fill the shared counter, so it does not apply to a requester who has not asked for this address in the window: the
    owner, in another network than the attacker, gets a mail (R95). The daily counter then limits the nuisance.
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
    """From (bucket, attempts in its running window, end of that window): the wait if one more would be too many."""
    ends = [end for bucket, tries, end in counted if tries >= bucket.limit and bucket.runs(end, now)]
    return Wait(max(ends)) if ends else None
