"""Risk of a sign-in: the facts that signals read, and the verdict with its reasons."""

from __future__ import annotations

from typing import Final, Literal, Protocol, TypeAlias, get_args

from msgspec import Struct

from doorward.core.model.place import NetworkKind, Place

Verdict: TypeAlias = Literal["allow", "ask_factor", "ask_phishing_resistant", "refuse", "end"]
"""What becomes of a sign-in, mildest first: nothing; one more step; a passkey where the person has one, else the best that they have;
no sign-in; no sign-in, and all access of the account ends. The words are stored and never change."""

VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)

Code: TypeAlias = Literal[
    "new_device",
    "new_country",
    "impossible_travel",
    "hosting_network",
    "anonymous_network",
    "many_accounts_from_address",
    "many_addresses_on_account",
    "password_spray",
    "breached_password",
    "refresh_replay",
    "family_on_two_networks",
    "recent_change",
    "dormant_account",
]
"""Names of the signals, as in the settings and the audit log. They are stored and never change."""

CODES: Final[tuple[Code, ...]] = get_args(Code)


class Whereabouts(Struct, frozen=True):
    """The origin of a request. `network` names the network that counts as one requester (IPv4 /24, IPv6 /48), empty for an address that
    is not one of the public Internet, which says nothing about anybody. `place` and `kind` come from the operator's files; None: unknown."""

    network: str = ""
    place: Place | None = None
    kind: NetworkKind | None = None


class PastSignIn(Struct, frozen=True):
    """A sign-in that succeeded at `at` (seconds). `browser` is the browser and system by name, without versions. `new_device`: the account
    did not know the device before it."""

    at: int
    where: Whereabouts = Whereabouts()
    browser: str | None = None
    new_device: bool = False


class RiskFacts(Struct, frozen=True, kw_only=True):
    """All that signals read about one sign-in at `at` (seconds), whose first factor was right.

    Only what succeeded makes a device, place or network known, so that strangers' tries change none of it. `device_known`: the
    browser holds a secret that an earlier sign-in of this account left there; user agent and address play no part. `past` are the last
    successes of the account, newest first. `password`: the first factor was a password.

    Counts are of running windows, and of devices unknown to the account alone: `misses_from_network` wrong guesses at any account from
    this network, `accounts_on_network` other accounts that signed in from it on a new device in the last hour, `networks_on_account` networks
    from which this account's password was guessed wrongly in the last day.

    `changed_at`: the last change of a factor, the address or the password by anybody but an operator; `replayed_at`: the last replay of
    a refresh token; `two_networks_at`: when a refresh token's family was last used from two networks at once, with both of them in
    `two_networks`. None: never, or too long ago to matter.
    """

    at: int
    where: Whereabouts = Whereabouts()
    browser: str | None = None
    device_known: bool = False
    password: bool = True
    account_created_at: int = 0
    past: tuple[PastSignIn, ...] = ()
    misses_from_network: int = 0
    accounts_on_network: int = 0
    networks_on_account: int = 0
    breached: bool = False
    changed_at: int | None = None
    replayed_at: int | None = None
    two_networks_at: int | None = None
    two_networks: tuple[Whereabouts, Whereabouts] | None = None


class RiskReason(Struct, frozen=True):
    """Why a signal fired: its name, with both places where places matter, and the number where something was counted."""

    code: Code
    here: Place | None = None
    before: Place | None = None
    before_at: int | None = None
    count: int | None = None


class Assessment(Struct, frozen=True):
    """The verdict on a sign-in, and all reasons, those that led to it first. `then` are their verdicts, in the same order."""

    verdict: Verdict
    reasons: tuple[RiskReason, ...] = ()
    then: tuple[Verdict, ...] = ()


class RiskSignal(Protocol):
    """One sign of danger: pure, and explained by its reason alone."""

    @property
    def code(self) -> Code:
        """Its name."""
        ...

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the facts show the sign. `threshold` is the operator's number for this signal, in its own unit."""
        ...


def worst(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The most severe of them; `allow` if there is none."""
    return VERDICTS[max((VERDICTS.index(one) for one in verdicts), default=0)]
