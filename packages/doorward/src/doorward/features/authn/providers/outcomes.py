"""Outcomes of the way to a provider and back: what the pages answer with."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from doorward.core.model.provider import ExternalIdentity, PendingIdentity
from doorward.core.model.signin import SignIn

Why = Literal[
    "cancelled",
    "unavailable",
    "refused",
    "not_allowed",
    "not_recent",
    "disabled",
    "taken",
    "no_account",
    "replaced",
    "over",
    "throttled",
]


class NotSignedIn(Struct, frozen=True):
    """Nobody was signed in or connected. `why` is what the page says; `sign_in_id`: the sign-in to go on with, "" for the account pages;
    `until` (seconds) for `throttled`."""

    why: Why
    sign_in_id: str = ""
    until: int | None = None


class AlreadyBack(Struct, frozen=True):
    """This answer of the provider was used before. What it did is stored; the page of the sign-in goes on from there."""

    sign_in_id: str


class AccountNeeded(Struct, frozen=True):
    """Nobody here has this identity. It waits until its owner has signed in."""

    pending: PendingIdentity


class IdentityConnected(Struct, frozen=True):
    """The identity now belongs to the person who is signed in."""

    identity: ExternalIdentity


class AddressNeeded(Struct, frozen=True):
    """Nobody here has this identity, or its account has no address, and the settings demand one. `waiting`: the row of who waits, "" while
    there is none yet."""

    sign_in_id: str
    waiting: str = ""


Outcome = SignIn | IdentityConnected | AccountNeeded | AddressNeeded | AlreadyBack | NotSignedIn
