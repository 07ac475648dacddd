"""Checks of the settings of second factors, passkeys and text messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from doorward.core.web_origin import loopback, web_origin
from doorward.settings.tree import Settings
from doorward.storage.postgres.url_words import absent

_COUNTRY = re.compile(r"[A-Z]{2}")
_NATIVE_APP = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")


def factor_problems(settings: Settings) -> Iterator[str]:
    """Contradictions between these settings. Each sentence begins with the name of the setting at fault."""
    policy = settings.second_factor
    if policy.require == "required" and not policy.kinds:
        yield "second_factor.kinds is empty, and second_factor.require is required; name at least one kind"
    if "email_code" in policy.kinds and settings.mail.host is None and not settings.development:
        yield "second_factor.kinds holds email_code, and there is no mail.host to send codes with"
    if "sms" in policy.kinds and settings.sms.channel == "none":
        yield 'second_factor.kinds holds sms, and sms.channel is "none"; set it to "webhook" or "twilio"'
    if settings.email_codes.first and settings.mail.host is None and not settings.development:
        yield "email_codes.first is true, and there is no mail.host to send codes with"
    yield from _passkeys(settings)
    yield from _sms(settings)


def _passkeys(settings: Settings) -> Iterator[str]:
    passkeys = settings.passkeys
    if passkeys.rp_id is not None:
        # imported only here: it reads the list of public suffixes
        from doorward.features.authn.factors.passkeys.rules.rp_id import usable_rp_id

        if not usable_rp_id(passkeys.rp_id, settings.issuer):
            yield (
                f'passkeys.rp_id is "{passkeys.rp_id}"; it should be the host of the issuer {settings.issuer}, or a part at its end that is'
                " yours, as example.com is of auth.example.com"
            )
    for origin in passkeys.related_origins:
        https = origin.startswith("https://") and web_origin(origin) == origin
        if not https and _NATIVE_APP.fullmatch(origin) is None:
            yield (
                f'passkeys.related_origins holds "{origin}"; it should be an origin like "https://example.org" (or '
                '"android:apk-key-hash:…" of an app)'
            )
    for aaguid in passkeys.allowed_aaguids:
        try:
            same = str(UUID(aaguid)) == aaguid
        except ValueError:
            same = False
        if not same:
            yield (
                f'passkeys.allowed_aaguids holds "{aaguid}"; it should look like "ee882879-721c-4913-9775-3dfcce97072a"'
            )
    if passkeys.metadata is not None and absent(passkeys.metadata):
        yield f"passkeys.metadata names {passkeys.metadata}, and there is no such file"


def _sms(settings: Settings) -> Iterator[str]:
    sms = settings.sms
    for country in sms.countries:
        if _COUNTRY.fullmatch(country) is None:
            yield f'sms.countries holds "{country}"; it should be two capital letters, as in ["DE", "FR"]'
    if sms.channel == "none":
        return
    if not sms.countries:
        yield 'sms.countries is empty: the countries that messages may be sent to, as in ["DE", "FR"]'
    if settings.development and sms.channel == "webhook" and sms.url is None:
        return  # messages stay in the development outbox
    if sms.token is None:
        yield f'sms.token is missing: the secret shared with the gateway, for sms.channel "{sms.channel}" (or use sms.token_file)'
    if sms.channel == "webhook" and sms.url is None:
        yield "sms.url is missing: the address of the gateway, as in https://sms.example.com/send"
    if sms.channel == "twilio":
        if sms.account is None:
            yield "sms.account is missing: the account of the gateway (AC…)"
        if sms.sender is None:
            yield "sms.sender is missing: the number, name or messaging service that messages come from"
    if sms.url is not None and not _https(sms.url, development=settings.development):
        yield f'sms.url is "{sms.url}"; it must begin with https:// (http:// only with development, and on this machine)'


def _https(url: str, *, development: bool) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (development and parts.scheme == "http" and loopback(host))
