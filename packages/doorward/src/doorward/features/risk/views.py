"""Reasons of verdicts in plain words, with both places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward.core.model.place import Place
from doorward.core.model.risk import Code
from doorward.web.pages.views.why import Why
from doorward.web.pages.words import N_, Words, calm

SENTENCES: Final[Mapping[Code, str]] = {
    "new_device": N_("This device is new to the account."),
    "new_country": N_("Nobody signed in to the account from this country before."),
    "impossible_travel": N_("Nobody can travel so fast from the place of the sign-in before."),
    "hosting_network": N_("It comes from a network of rented machines."),
    "anonymous_network": N_("It comes through a VPN or proxy that hides where somebody is."),
    "many_accounts_from_address": N_("Many accounts were signed in to from this network within an hour."),
    "many_addresses_on_account": N_("Somebody tried wrong passwords for the account from many networks."),
    "password_spray": N_("Many wrong passwords came from this network."),
    "breached_password": N_("The password is in a list of leaked passwords."),
    "refresh_replay": N_("An app's access to the account was used twice a short while ago."),
    "family_on_two_networks": N_("An app's access to the account was used from two networks at once."),
    "recent_change": N_("The address or a sign-in method of the account was changed a short while ago."),
    "dormant_account": N_("Nobody signed in to the account for a long time."),
}
FROM_BOTH: Final = N_("It comes from %(here)s, and an earlier one came from %(before)s.")
FROM_HERE: Final = N_("It comes from %(here)s.")


def named(place: Place | None) -> str:
    """A place in words: city, region and country, as far as they are known."""
    if place is None:
        return ""
    return ", ".join(dict.fromkeys(calm(one) for one in (place.city, place.region, place.country) if one))


def explained(detail: Mapping[str, Any], *, to_owner: bool = True) -> tuple[Why, ...]:
    """The sentences about an audited verdict. Unless `to_owner`, who reads them has shown a first factor only: then of the earlier place
    only the country is told, so that a thief of a password does not learn where its owner lives."""
    here, before = str(detail.get("here", "")), str(detail.get("before", ""))
    if not to_owner:
        before = before.rpartition(", ")[2]
    places = Why(FROM_BOTH if before else FROM_HERE, here, before)
    codes = set(detail.get("reasons", ()))
    said = [Why(text) for code, text in SENTENCES.items() if code in codes]
    return (*([places] if here else ()), *said)


def in_english(detail: Mapping[str, Any]) -> str:
    """The same for operators, on one line."""
    words = Words("en")
    return " ".join(words.text(one.text, here=one.here, before=one.before) for one in explained(detail))
