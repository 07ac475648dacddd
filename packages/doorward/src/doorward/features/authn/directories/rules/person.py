"""Reading of a person's entry: who it is, and whether the directory lets them in."""

from __future__ import annotations

from typing import Final

from doorward.core.login_name import new_email, normalise_name
from doorward.core.model.directory import DirectoryPerson, LdapEntry
from doorward.features.authn.directories.rules.names import escaped, escaped_bytes
from doorward.features.authn.directories.settings import DirectoryPolicy

_STATE: Final = (
    "userAccountControl",
    "accountExpires",
    "nsAccountLock",
    "loginDisabled",
    "pwdAccountLockedTime",
    "shadowExpire",
)
_DISABLED: Final = 0x2
"""ADS_UF_ACCOUNTDISABLE."""
_NEVER: Final = frozenset({0, 0x7FFF_FFFF_FFFF_FFFF})
_EPOCH_1601: Final = 11_644_473_600
"""Seconds between 1601, from which Active Directory counts, and 1970."""
_FOR_EVER: Final = "000001010000Z"
"""The time of a lock without end (draft-behera-ldap-password-policy-11 §5.3.3)."""


def person_attributes(policy: DirectoryPolicy) -> list[str]:
    """The attributes to be read of a person."""
    own = (*policy.names, policy.key, policy.email_attribute, policy.shown_name, "givenName", "sn", *_STATE)
    return list(dict.fromkeys(own))


def read_person(entry: LdapEntry, policy: DirectoryPolicy, now: int) -> DirectoryPerson | None:
    """The person; None for an entry without the attribute that identifies it."""
    uid = _uid(entry, policy)
    if not uid:
        return None
    stated = new_email(entry.text(policy.email_attribute))
    return DirectoryPerson(
        uid=uid,
        dn=entry.dn,
        names=tuple(dict.fromkeys(text.lower() for name in policy.names for text in entry.texts(name))),
        email=_email(stated, policy),
        stated=stated or "",
        name=_shown(entry.text(policy.shown_name)),
        given_name=_shown(entry.text("givenName")),
        family_name=_shown(entry.text("sn")),
        active=active(entry, now),
    )


def active(entry: LdapEntry, now: int) -> bool:
    """Whether the account is neither disabled nor past its end. An expired password, and a lock that passes, are neither."""
    control = _number(entry.text("userAccountControl"))
    ends = _number(entry.text("accountExpires"))
    days = _number(entry.text("shadowExpire"))
    return not (
        (control is not None and control & _DISABLED)
        or (ends is not None and ends not in _NEVER and ends // 10_000_000 - _EPOCH_1601 <= now)
        or (days is not None and days >= 0 and days * 86_400 <= now)
        or entry.text("nsAccountLock").lower() == "true"
        or entry.text("loginDisabled").lower() == "true"
        or entry.text("pwdAccountLockedTime") == _FOR_EVER
    )


def uid_filter(policy: DirectoryPolicy, uids: list[str]) -> str:
    """The filter for the people with these identities, wherever they are now. Who is none of the people any more is gone."""
    either = "".join(f"({policy.key}={_uid_value(policy, uid)})" for uid in uids)
    return f"(&{policy.people}(|{either}))"


def _uid(entry: LdapEntry, policy: DirectoryPolicy) -> str:
    values = entry.values.get(policy.key.lower(), ())
    if len(values) != 1 or not values[0]:
        return ""
    if not _binary(policy):
        text = values[0].decode("utf-8", "replace")
        return text.lower() if len(text) <= 200 else ""
    raw = values[0]
    # the first three parts have their low byte first (MS-DTYP §2.3.4.2)
    turned = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    text = turned.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if len(raw) == 16 else ""


def _uid_value(policy: DirectoryPolicy, uid: str) -> str:
    if not _binary(policy):
        return escaped(uid)
    try:
        turned = bytes.fromhex(uid.replace("-", ""))
    except ValueError:
        # stored when `id_attribute` was another one: it is nobody's any more
        return escaped(uid)
    return escaped_bytes(turned[3::-1] + turned[5:3:-1] + turned[7:5:-1] + turned[8:])


def _binary(policy: DirectoryPolicy) -> bool:
    return policy.key.lower() == "objectguid"


def _email(email: str | None, policy: DirectoryPolicy) -> str | None:
    if email is None:
        return None
    trusted = {one.lower() for one in policy.email_domains}
    return email if "*" in trusted or email.rpartition("@")[2] in trusted else None


def _shown(text: str) -> str | None:
    return normalise_name(text) or None


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None
