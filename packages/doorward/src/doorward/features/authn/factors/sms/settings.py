"""Settings of text messages: `[sms]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from doorward.core.model.policy import Count
from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Surroundings
from doorward.core.web_origin import loopback

_COUNTRY: Final = re.compile(r"[A-Z]{2}")


class SmsPolicy(Section, frozen=True, forbid_unknown_fields=True):
    """The gateway, the countries that messages may be sent to, and limits for each number, country and prefix."""

    files: ClassVar[frozenset[str]] = frozenset({"token_file"})

    channel: Literal["none", "webhook", "twilio"] = "none"
    url: str | None = None
    account: str | None = None
    token: Secret | None = None
    token_file: str | None = None
    sender: str | None = None
    countries: tuple[str, ...] = ()
    per_number_day: Count = 10
    per_country_hour: Count = 200
    per_prefix_hour: Count = 20
    timeout: Annotated[int, Meta(ge=1, le=60)] = 10

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What the gateway needs, and is not there."""
        if "sms" in around.factor_kinds and self.channel == "none":
            yield 'second_factor.kinds holds sms, and sms.channel is "none"; set it to "webhook" or "twilio"'
        for country in self.countries:
            if _COUNTRY.fullmatch(country) is None:
                yield f'sms.countries holds "{country}"; it should be two capital letters, as in ["DE", "FR"]'
        if self.channel == "none":
            return
        if not self.countries:
            yield 'sms.countries is empty: the countries that messages may be sent to, as in ["DE", "FR"]'
        if around.development and self.channel == "webhook" and self.url is None:
            return  # messages stay in the development outbox
        if self.token is None:
            yield f'sms.token is missing: the secret shared with the gateway, for sms.channel "{self.channel}" (or use sms.token_file)'
        if self.channel == "webhook" and self.url is None:
            yield "sms.url is missing: the address of the gateway, as in https://sms.example.com/send"
        if self.channel == "twilio":
            if self.account is None:
                yield "sms.account is missing: the account of the gateway (AC…)"
            if self.sender is None:
                yield "sms.sender is missing: the number, name or messaging service that messages come from"
        if self.url is not None and not _https(self.url, development=around.development):
            yield f'sms.url is "{self.url}"; it must begin with https:// (http:// only with development, and on this machine)'


def _https(url: str, *, development: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (development and parts.scheme == "http" and loopback(host))
