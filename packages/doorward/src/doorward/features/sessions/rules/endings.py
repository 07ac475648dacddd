"""Table of what ends: for each action and each kind of credential whether it ends, and if it is kept, why (ASVS 7.4.2, R72, R94).

`Revoker` builds its writes from these rows, and docs/reference/ending-access.md is written from them. The kinds are those that the nouns of
the storage declare; a kind that rests on another one ends with it and has no column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from doorward.core.model.session import EndReason

Kind: TypeAlias = Literal[
    "session",
    "grant",
    "offline_grant",
    "api_key",
    "mailed_code",
    "sent_code",
    "sign_in",
    "remembered_device",
    "known_device",
    "consent",
    "password",
    "factor",
    "client_secret",
    "app_token",
    "registration_token",
    "initial_access_token",
    "outside_issuer",
]
Subject: TypeAlias = Literal[
    "person",
    "proofs",
    "others",
    "others_by",
    "session",
    "whole_session",
    "device",
    "app_of_person",
    "app",
    "api_key",
    "grant",
    "issuer",
]
"""What the action ends: the method of `Revoker`."""


class AccessEnd(Struct, frozen=True, kw_only=True):
    """A row. `ends`: the kinds that `Revoker` ends; `itself`: those that the action's own write ends or replaces; `kept`: the others, with the
    reason. `but`: what of a kind that ends stays all the same."""

    action: str
    subject: Subject
    reasons: tuple[EndReason, ...]
    ends: frozenset[Kind]
    kept: Mapping[Kind, str]
    itself: frozenset[Kind] = frozenset()
    but: str = ""


def _kinds(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


_OUTSTANDING: Final = _kinds("mailed_code", "sent_code", "sign_in")
_ALL: Final = _OUTSTANDING | _kinds(
    "session", "grant", "offline_grant", "api_key", "remembered_device", "known_device"
)
_HERE: Final = "the browser in which the person does it: its session, and that it is known and remembered"
_OWNED_BY_APPS: Final[tuple[Kind, ...]] = (
    "client_secret",
    "app_token",
    "registration_token",
    "initial_access_token",
    "outside_issuer",
)
_APPS: Final[dict[Kind, str]] = dict.fromkeys(_OWNED_BY_APPS, "of an app or the operator, of no person")
_CONSENT: Final[dict[Kind, str]] = {
    "consent": "it opens nothing without a sign-in, and none that began before counts"
}
_FACTOR: Final[dict[Kind, str]] = {"factor": "the owner's way in, of which nothing is known to be lost"}
_PASSWORD: Final[dict[Kind, str]] = {"password": "the owner's way in, of which nothing is known to be lost"}
_LED: Final = "the pages lead the owner to changing it next"
_OWN_CHOICE: Final = "is ended where the person sees it, or with “This wasn't me”"
_NARROW: Final = "does not rest on what ends"


def _not(ends: frozenset[Kind], why: str, kinds: tuple[Kind, ...]) -> dict[Kind, str]:
    return {kind: why for kind in kinds if kind not in ends}


_PERSONS: Final[tuple[Kind, ...]] = (
    "session",
    "grant",
    "offline_grant",
    "api_key",
    "mailed_code",
    "sent_code",
    "sign_in",
    "remembered_device",
    "known_device",
    "consent",
    "password",
    "factor",
)


def _narrow(ends: frozenset[Kind], **why: str) -> dict[Kind, str]:
    """All other kinds of a person, and those of apps: they do not rest on what ends, unless `why` says more."""
    kept = {**_not(ends, _NARROW, _PERSONS), **_not(ends, _NARROW, _OWNED_BY_APPS)}
    return kept | {kind: said for kind, said in why.items() if kind in kept}  # type: ignore[misc]


def _session(
    action: str, subject: Subject, reasons: tuple[EndReason, ...], ends: frozenset[Kind]
) -> AccessEnd:
    offline = "outlives sessions; the person ends it by disconnecting the app"
    kept = _narrow(ends, offline_grant=offline)
    return AccessEnd(action=action, subject=subject, reasons=reasons, ends=ends, kept=kept)


_IN_SESSION: Final = _kinds("session", "grant")
_OF_OTHERS: Final = _OUTSTANDING | _IN_SESSION | _kinds("remembered_device")
_OF_APP: Final = _kinds("grant", "offline_grant")

ENDINGS: Final[tuple[AccessEnd, ...]] = (
    AccessEnd(
        action="“This wasn't me”",
        subject="person",
        reasons=("reported_by_owner",),
        ends=_ALL | _kinds("consent"),
        kept={**_APPS, "password": _LED, "factor": _LED},
        but=_HERE,
    ),
    AccessEnd(
        action="`doorward user end-access`",
        subject="person",
        reasons=("ended_by_operator",),
        ends=_ALL | _kinds("consent"),
        kept={
            **_APPS,
            "password": "the person signs in again with it; `doorward user set-password` or `disable` otherwise",
            "factor": "the person signs in again with it; `doorward user reset-factors` otherwise",
        },
    ),
    AccessEnd(
        action="The account is disabled",
        subject="person",
        reasons=("account_disabled",),
        ends=_ALL,
        itself=_kinds("password", "factor"),
        kept={**_APPS, **_CONSENT},
    ),
    AccessEnd(
        action="The account is deleted",
        subject="person",
        reasons=("account_deleted",),
        ends=_ALL,
        itself=_kinds("password", "factor", "consent"),
        kept=_APPS,
    ),
    AccessEnd(
        action="The password is changed, or set by an operator",
        subject="person",
        reasons=("password_changed",),
        ends=_ALL,
        itself=_kinds("password"),
        kept={**_APPS, **_CONSENT, **_FACTOR},
        but=_HERE,
    ),
    AccessEnd(
        action="The password is reset, and sessions end with it",
        subject="person",
        reasons=("password_reset",),
        ends=_ALL,
        itself=_kinds("password"),
        kept={**_APPS, **_CONSENT, **_FACTOR},
        but="that the browser of the reset is known from now on",
    ),
    AccessEnd(
        action="An operator resets second factors",
        subject="person",
        reasons=("second_factor_reset",),
        ends=_ALL,
        itself=_kinds("factor"),
        kept={**_APPS, **_CONSENT, "password": "kept, unless with `--forget-password`"},
    ),
    AccessEnd(
        action="A key on a device was copied; an operator or another service removes a connected account",
        subject="person",
        reasons=("revoked",),
        ends=_ALL,
        itself=_kinds("factor"),
        kept={**_APPS, **_CONSENT, **_PASSWORD},
    ),
    AccessEnd(
        action="The person changes the address, or how second steps are shown",
        subject="proofs",
        reasons=(),
        ends=_OUTSTANDING | _kinds("remembered_device"),
        kept=_APPS | _not(_OUTSTANDING | _kinds("remembered_device"), _OWN_CHOICE, _PERSONS),
        but="that this browser is remembered, when the address is changed",
    ),
    AccessEnd(
        action="The password is reset, and sessions stay by the owner's wish",
        subject="proofs",
        reasons=("password_reset",),
        ends=_OUTSTANDING | _kinds("remembered_device", "known_device"),
        itself=_kinds("password"),
        kept={
            **_APPS,
            **_not(_OUTSTANDING | _kinds("remembered_device", "known_device"), _OWN_CHOICE, _PERSONS[:-2]),
            **_FACTOR,
        },
        but="that the browser of the reset is known from now on",
    ),
    AccessEnd(
        action="The person signs out everywhere else",
        subject="others",
        reasons=("ended_by_owner", "revoked"),
        ends=_OF_OTHERS,
        kept=_APPS | _not(_OF_OTHERS, _OWN_CHOICE, _PERSONS),
        but=_HERE,
    ),
    AccessEnd(
        action="The person removes a factor: sessions that rest on it",
        subject="others_by",
        reasons=("revoked",),
        ends=_OF_OTHERS,
        itself=_kinds("factor"),
        kept=_APPS | _not(_OF_OTHERS, _OWN_CHOICE, _PERSONS[:-1]),
        but="sessions that rest on other factors, and this one",
    ),
    AccessEnd(
        action="The person ends a device, or `doorward user end-session --device`",
        subject="device",
        reasons=("ended_by_owner", "ended_by_operator"),
        ends=_OF_OTHERS | _kinds("offline_grant", "known_device"),
        kept=_narrow(
            _OF_OTHERS | _kinds("offline_grant", "known_device"), api_key=_OWN_CHOICE, consent=_OWN_CHOICE
        ),
        but="what belongs to other devices: their sessions, the apps in them, and that they are known",
    ),
    _session(
        "Sign-out, by the person or an app; the session is ended from the list, replaced, or one too many",
        "session",
        (
            "signed_out",
            "signed_out_by_app",
            "ended_by_owner",
            "ended_by_operator",
            "replaced",
            "too_many",
            "revoked",
        ),
        _IN_SESSION,
    ),
    _session(
        "A provider signs the person out, or withdraws the connected account",
        "whole_session",
        ("signed_out_by_provider", "revoked"),
        _IN_SESSION | _kinds("offline_grant"),
    ),
    AccessEnd(
        action="The person disconnects an app",
        subject="app_of_person",
        reasons=("disconnected",),
        ends=_OF_APP | _kinds("consent"),
        kept=_narrow(_OF_APP | _kinds("consent")),
        but="what belongs to other apps",
    ),
    AccessEnd(
        action="An app is deleted, or disabled if it registered itself",
        subject="app",
        reasons=("app_deleted",),
        ends=_OF_APP | _kinds("api_key", "app_token"),
        itself=_kinds("client_secret", "registration_token"),
        kept=_not(
            _OF_APP | _kinds("api_key", "app_token"),
            _NARROW,
            (*_PERSONS, "initial_access_token", "outside_issuer"),
        ),
    ),
    AccessEnd(
        action="`doorward app end-access`",
        subject="app",
        reasons=("ended_by_operator",),
        ends=_OF_APP | _kinds("api_key", "app_token"),
        kept=_narrow(
            _OF_APP | _kinds("api_key", "app_token"),
            consent="people allowed it; `doorward app delete` ends that",
            client_secret="the app goes on with it; `doorward app rotate-secret` otherwise",
        ),
    ),
    AccessEnd(
        action="An API key is ended",
        subject="api_key",
        reasons=("revoked", "ended_by_owner"),
        ends=_kinds("api_key"),
        kept=_narrow(_kinds("api_key")),
        but="other keys",
    ),
    AccessEnd(
        action="An app revokes its tokens; a code or a refresh token is used twice",
        subject="grant",
        reasons=("revoked", "code_reused", "refresh_token_replayed", "signed_out"),
        ends=_OF_APP,
        kept=_narrow(_OF_APP),
        but="other grants",
    ),
    AccessEnd(
        action="An issuer of assertions is removed or changed",
        subject="issuer",
        reasons=(),
        ends=_kinds("outside_issuer"),
        kept=_narrow(_kinds("outside_issuer")),
    ),
)


def of(subject: Subject, reason: EndReason | None = None) -> AccessEnd:
    """The row of an action. Raises LookupError if there is none: such an action has to be added to the table."""
    for row in ENDINGS:
        if row.subject == subject and (reason is None or reason in row.reasons):
            return row
    raise LookupError(f"no row of the table of endings is for {subject}, {reason}")
