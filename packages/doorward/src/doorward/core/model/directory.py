"""Entries of LDAP directories, and their answers to a bind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct


class LdapEntry(Struct, frozen=True):
    """An entry that a search found. The names of attributes are in lower case, without options."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def texts(self, name: str) -> list[str]:
        """The values that are text."""
        return [value.decode("utf-8", "replace") for value in self.values.get(name.lower(), ())]

    def text(self, name: str) -> str:
        """The first value as text, "" for none."""
        return next(iter(self.texts(name)), "")


class BindAnswer(Struct, frozen=True):
    """The answer to a bind as a person (RFC 4511 §4.2.2). `policy` is the value of the response control of the password policy
    (draft-behera-ldap-password-policy-11 §6.2), None without one."""

    code: int
    message: str
    policy: bytes | None = None


class DirectoryPerson(Struct, frozen=True, kw_only=True):
    """A person as a directory knows them. `uid` is the entry's entryUUID or objectGUID, which no rename changes; `email` is normalised,
    and None unless the directory is trusted for its domain; `stated` is what the entry has, "" for nothing. `active`: whether the directory lets them sign in at all."""

    uid: str
    dn: str
    names: tuple[str, ...]
    email: str | None = None
    stated: str = ""
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    active: bool = True
