"""Phone numbers: typed text to E.164, and which numbers messages may be sent to.

A number is checked once, when it is given. The numbering plans change with every release of the library, so a stored
number is never checked again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core import text
from doorward.features.authn.flow.rules.assurance import FactorTraits

PhoneProblem = Literal["unreadable", "invalid", "not_mobile", "country"]
"""Not a number · no number of any plan · one that cannot or may not receive messages (landline, premium, shared cost,
voice over IP, pager, satellite) · of a country that the operator does not send to."""

KIND: Final = "sms"
"""The kind of the factor, stored with each number and proof."""
TRAITS: Final = FactorTraits(kind=KIND, amr=("sms",), counts_for=frozenset({"held"}), always_asked=True)
MAX_TYPED: Final = 40
_PREFIX: Final = 7
_BETWEEN: Final = str.maketrans("", "", "()./")
_NUMBER: Final = re.compile(r"\+?[0-9]{3,20}")


class Phone(Struct, frozen=True):
    """A mobile number in E.164, `+491712345678`, with the region (ISO 3166-1) and the calling code of its plan."""

    e164: str
    country: str
    calling_code: int

    @property
    def prefix(self) -> str:
        """The first digits, which number ranges rented for fraud have in common."""
        return self.e164[: 1 + _PREFIX]

    @property
    def masked(self) -> str:
        """`+49 ••• ••78`: enough to recognise one's own number."""
        return f"+{self.calling_code} ••• ••{self.e164[-2:]}"


def parse(typed: str, *, countries: Sequence[str], region: str | None = None) -> Phone | PhoneProblem:
    """The number, if messages may be sent to it. `region` completes a number that is typed without its country; without
    it, the only allowed country does.

    Digits of every script, full-width characters and the marks that address books add are understood. Letters and
    extensions are not: what stands for digits elsewhere must not become another person's number.
    """
    if len(typed) > MAX_TYPED:
        return "unreadable"
    plain = text.code(unicodedata.normalize("NFKC", typed)).translate(_BETWEEN)
    if not _NUMBER.fullmatch(plain):
        return "unreadable"
    # imported here: the numbering plans are large, and most processes never need them
    import phonenumbers as plans

    home = region if region in countries else countries[0] if len(countries) == 1 else None
    if home is None and plain.startswith("00"):
        plain = f"+{plain[2:]}"
    try:
        number = plans.parse(plain, home)
    except plans.NumberParseException:
        return "unreadable"
    if not plans.is_valid_number(number):
        return "invalid"
    if plans.number_type(number) not in {
        plans.PhoneNumberType.MOBILE,
        plans.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }:
        return "not_mobile"
    country = plans.region_code_for_number(number)
    calling_code = number.country_code
    if country is None or calling_code is None or country not in countries:
        return "country"
    return Phone(plans.format_number(number, plans.PhoneNumberFormat.E164), country, calling_code)


def stored(e164: str) -> Phone:
    """A number that was checked when it was given."""
    import phonenumbers as plans

    number = plans.parse(e164, None)
    country = plans.region_code_for_number(number) or "ZZ"
    return Phone(e164, country, number.country_code or 0)
