"""Policy numbers that an operator may choose, in the form that the rules take. All times are seconds.
`settings/tree.py` lists their sections (docs/reference/settings.md); a factor declares its own in its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal, get_args

from msgspec import Meta, Struct

from doorward.core.model.section import Section, Surroundings

LONGEST = 100 * 365 * 86_400
"""Seconds: a hundred years. Every resulting time can be stored in both databases, be written as a date and be put into
a token."""

Seconds = Annotated[int, Meta(ge=1, le=LONGEST)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class TokenPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Token lifetimes. A code at most 60 s (ASVS 10.4.2); a refresh token's end is absolute (ASVS 10.4.8).
    `refresh_leeway`: for how long a spent refresh token may be repeated; `refresh_strict`: the limit after which no app
    may repeat it (`rules.refresh.rotation`)."""

    access_ttl: Annotated[int, Meta(ge=10, le=86_400)] = 300
    id_ttl: Annotated[int, Meta(ge=10, le=86_400)] = 300
    code_ttl: Annotated[int, Meta(ge=5, le=60)] = 60
    refresh_ttl: Seconds = 30 * 86_400
    refresh_leeway: Annotated[int, Meta(ge=0, le=300)] = 60
    refresh_strict: bool = False
    assertion_max_age: Annotated[int, Meta(ge=30, le=3600)] = 300


class SessionPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Browser sessions: idle limit and absolute limit.

    NIST SP 800-63B-4 §2.2.3 requires at most 1 h idle and 24 h absolute at AAL2. `aal2_limits` applies these to
    sessions with two factors; it is off by default, since it would sign out the best protected people before everybody
    else.
    """

    idle: Seconds = 14 * 86_400
    absolute: Seconds = 30 * 86_400
    aal2_limits: bool = False
    aal2_idle: Seconds = 3600
    aal2_absolute: Seconds = 86_400
    sign_in_ttl: Seconds = 1800
    recent: Seconds = 600


MOST_WORDS = 200
"""Words of `PasswordPolicy.words`: each new password is compared with all of them."""


class PasswordPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """NIST SP 800-63B-4 §3.1.1: 15 characters alone, 8 beside a second factor, at least 64 allowed, no composition
    rules.

    Argon2id with OWASP's first recommendation; `memory_kib`, `iterations`, `lanes`. `threads` 0: the number of cores.
    `queue`: the most waiting hashes. `words`: names of this context, such as those of projects and products, that no password may be
    made of (ASVS 6.1.2).
    """

    files: ClassVar[frozenset[str]] = frozenset({"breached_list"})

    min_length: Annotated[int, Meta(ge=8, le=64)] = 15
    min_length_with_second_factor: Annotated[int, Meta(ge=8, le=64)] = 8
    max_length: Annotated[int, Meta(ge=64, le=4096)] = 256
    memory_kib: Annotated[int, Meta(ge=19_456, le=4_194_304)] = 19_456
    iterations: Annotated[int, Meta(ge=2, le=1000)] = 2
    lanes: Annotated[int, Meta(ge=1, le=255)] = 1
    threads: Annotated[int, Meta(ge=0, le=64)] = 0
    queue: Count = 256
    breached_list: str | None = None
    words: tuple[Annotated[str, Meta(min_length=3, max_length=100)], ...] = ()


class ThrottlePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Failures allowed in a window: for one account from unknown devices, for one known device, for one network
    address. `mails_per_address`: mails that one requester may send to an address in a window; `mails_per_day`: all
    unknown requesters together, in a day."""

    window: Seconds = 900
    per_account: Count = 10
    per_device: Count = 20
    per_address: Count = 100
    per_code: Count = 5
    mails_per_address: Count = 5
    mails_per_day: Count = 50


FactorKind = Literal["passkey", "totp", "sms", "email_code"]
"""The kinds of second factors that people may add. Recovery codes come with the others."""
SECOND_FACTORS: Final = frozenset({*get_args(FactorKind), "security_key"})
"""The kinds under which they are stored: a passkey that is asked for after a password has one of its own."""

BACKUP_KIND: Final = "recovery_code"
"""The kind of those."""

FACTOR_NAMES: Final[Mapping[str, str]] = {
    "passkey": "passkey",
    "totp": "authenticator app",
    "sms": "phone",
    "email_code": "codes by mail",
}
"""The same as operators read them."""


class SecondFactorPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Who needs a second factor, and which kinds people may add.

    `require`: `off` (nobody can add one; those that exist are still asked for), `optional`, or `required` of everybody. `ask`: at
    each sign-in, or not on a device that the person had remembered, for at most `remember` seconds. `grace`: how long a person
    without a required factor may postpone its enrolment. `totp_tolerance`: by how many periods of 30 seconds the clock of an
    authenticator app may be off, either way.
    """

    require: Literal["off", "optional", "required"] = "optional"
    kinds: tuple[FactorKind, ...] = ("passkey", "totp")
    ask: Literal["each_sign_in", "remembered"] = "remembered"
    remember: Annotated[int, Meta(ge=3600, le=90 * 86_400)] = 30 * 86_400
    grace: Annotated[int, Meta(ge=0, le=90 * 86_400)] = 0
    totp_tolerance: Annotated[int, Meta(ge=0, le=1)] = 1

    @property
    def allowed(self) -> frozenset[FactorKind]:
        """The kinds that people may set up now."""
        return frozenset(self.kinds) if self.require != "off" else frozenset()

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Whether a factor is required, and none can be added."""
        del around
        if self.require == "required" and not self.kinds:
            yield "second_factor.kinds is empty, and second_factor.require is required; name at least one kind"
