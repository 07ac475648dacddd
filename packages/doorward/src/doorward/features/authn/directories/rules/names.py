"""Typed names: which directories may know them, and how they are looked up there (RFC 4515, MS-ADTS §5.1.1.1.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from doorward.core import text as kinds
from doorward.core.login_name import MAX_EMAIL, normalise_email
from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.settings import DirectoryPolicy

_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class TypedName(Struct, frozen=True):
    """`user`, `user@domain` or `netbios\\user`. `full` is all of it as typed, `domain` in its ASCII form."""

    full: str
    user: str
    domain: str = ""
    netbios: str = ""


def typed_name(identifier: str) -> TypedName | None:
    """The parts of a typed name; None for text that is no name."""
    if len(identifier) > 4 * MAX_EMAIL:
        return None
    full = unicodedata.normalize("NFC", kinds.trimmed(identifier))
    if not full or len(full) > MAX_EMAIL or any(_unseen(char) for char in full):
        return None
    netbios, slash, user = full.partition("\\")
    if slash:
        return TypedName(full, user, netbios=netbios) if netbios and user else None
    user, at, domain = full.rpartition("@")
    if not at:
        return TypedName(full, full)
    email = normalise_email(full)
    domain = email.rpartition("@")[2] if email is not None else domain.lower()
    return TypedName(full, user, domain=domain) if user and domain else None


def takes(policy: DirectoryPolicy, name: TypedName) -> bool:
    """Whether the directory is asked for this name. The same for every name of a kind, whoever has it (R80)."""
    if name.netbios:
        return bool(policy.netbios) and name.netbios.casefold() == policy.netbios.casefold()
    if not name.domain or not policy.domains:
        return True
    return name.domain in {one.lower() for one in policy.domains} or _in_realm(policy, name)


def lookups(policy: DirectoryPolicy, name: TypedName) -> Sequence[tuple[str, str]]:
    """(attribute, value) of what the name can be, the most trusted first. Somebody can have the address of another person in their own
    entry, but not the other one's name for signing in."""
    if name.netbios:
        return [("sAMAccountName" if policy.active_directory else policy.names[0], name.user)]
    found = [(attribute, name.full) for attribute in policy.names]
    if policy.active_directory and _in_realm(policy, name):
        # a principal name that the entry does not spell out
        found.insert(1, ("sAMAccountName", name.user))
    return found


def name_filter(policy: DirectoryPolicy, asked: Sequence[tuple[str, str]]) -> str:
    """The filter for people with one of these values."""
    either = "".join(f"({attribute}={escaped(value)})" for attribute, value in asked)
    return f"(&{policy.people}(|{either}))"


def the_one(entries: Sequence[LdapEntry], asked: Sequence[tuple[str, str]]) -> LdapEntry | None:
    """The entry that is meant: the only one, or the only one by the most trusted attribute. None when that is open."""
    if len(entries) == 1:
        return entries[0]
    for attribute, value in asked:
        fitting = [
            one for one in entries if value.casefold() in {text.casefold() for text in one.texts(attribute)}
        ]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def escaped(value: str) -> str:
    """A value in a filter (RFC 4515 §3): everything but ASCII letters and digits by its bytes, so that nothing typed can be syntax."""
    return "".join(
        char if char in _SAFE else escaped_bytes(char.encode("utf-8", "replace")) for char in value
    )


def escaped_bytes(value: bytes) -> str:
    """The same for bytes, all of them."""
    return "".join(f"\\{byte:02x}" for byte in value)


def _in_realm(policy: DirectoryPolicy, name: TypedName) -> bool:
    return policy.active_directory and bool(name.domain) and name.domain == policy.realm


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
