"""Settings of LDAP directories: one section `[directories.NAME]` for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, field

from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Surroundings
from doorward.core.text import one_line
from doorward.core.web_origin import loopback

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""It is stored with each person, and part of the names of environment variables."""
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_DN: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*=[^,=]+(,\s*[A-Za-z][A-Za-z0-9-]*=[^,=]+)*")
_LONGEST: Final = 32
_DNS: Final = "base_dn bind_dn group_base"
_GROUPS: Final = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers))"


class DirectoryPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One directory. What is empty has a default that depends on `active_directory`.

    `domains`: the domains whose names belong to it, besides names without one; empty for all. `email_domains`: the domains whose
    addresses it may confirm. `address`: whether a person without one that it confirms proves one, or has an account without. `roles`: for each role the groups whose members hold it. `lockout_threshold`: the wrong passwords
    after which the directory itself locks an account, 0 if it never does; `lockout_window`: the seconds after which it forgets them.
    `recheck`: how often it is asked whether people are still there. Times in seconds.
    """

    files: ClassVar[frozenset[str]] = frozenset({"bind_password_file", "ca_file"})

    label: str = ""
    urls: tuple[str, ...] = ()
    starttls: bool = True
    ca_file: str | None = None
    bind_dn: str | None = None
    bind_password: Secret | None = None
    bind_password_file: str | None = None
    base_dn: str = ""
    active_directory: bool = False
    netbios_domain: str = ""
    domains: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    person_filter: str = ""
    name_attributes: tuple[str, ...] = ()
    id_attribute: str = ""
    email_attribute: str = "mail"
    display_name_attribute: str = ""
    sign_up: bool = True
    address: Literal["required", "optional"] = "required"
    group_base: str = ""
    group_filter: str = ""
    nested_groups: bool = True
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    connections: Annotated[int, Meta(ge=1, le=64)] = 4
    connect_timeout: Annotated[int, Meta(ge=1, le=30)] = 3
    timeout: Annotated[int, Meta(ge=1, le=60)] = 5
    recheck: Annotated[int, Meta(ge=60, le=86_400)] = 900
    lockout_threshold: Annotated[int, Meta(ge=0, le=1000)] = 10
    lockout_window: Annotated[int, Meta(ge=60, le=86_400)] = 600

    @property
    def people(self) -> str:
        """The filter of entries that are people."""
        default = (
            "(&(objectCategory=person)(objectClass=user))"
            if self.active_directory
            else "(|(objectClass=inetOrgPerson)(objectClass=posixAccount))"
        )
        return self.person_filter or default

    @property
    def groups(self) -> str:
        """The filter of entries that are groups."""
        return self.group_filter or ("(objectCategory=group)" if self.active_directory else _GROUPS)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes of which a typed name can be one, the most trusted first."""
        if self.name_attributes:
            return self.name_attributes
        return ("userPrincipalName", "sAMAccountName", "mail") if self.active_directory else ("uid", "mail")

    @property
    def key(self) -> str:
        """The attribute that no rename changes."""
        return self.id_attribute or ("objectGUID" if self.active_directory else "entryUUID")

    @property
    def shown_name(self) -> str:
        """The attribute with the name of a person for others to read."""
        return self.display_name_attribute or ("displayName" if self.active_directory else "cn")

    @property
    def realm(self) -> str:
        """The DNS name that the components of `base_dn` spell, as Active Directory uses it; "" without components."""
        parts = [part.strip() for part in self.base_dn.split(",")]
        return ".".join(part[3:].lower() for part in parts if part[:3].lower() == "dc=")

    @property
    def netbios(self) -> str:
        """What stands before the backslash of DOMAIN\\user."""
        if self.netbios_domain or not self.active_directory:
            return self.netbios_domain
        return self.realm.partition(".")[0]

    def problems_as(self, name: str, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in the section of this name."""
        if not NAME.fullmatch(name) or len(name) > _LONGEST:
            yield f"{name} cannot name a directory: small letters, digits and single underscores, as in [directories.corp]"
        for member in ("label", "urls", "base_dn"):
            if not getattr(self, member):
                yield f"{name}.{member} is missing"
        if self.label and (not one_line(self.label) or len(self.label) > 60):
            yield f"{name}.label is longer than 60 characters, or holds one that nobody sees"
        for url in self.urls:
            yield from self._url_problems(name, url, development=around.development)
        for member in _DNS.split():
            text = getattr(self, member)
            if text and not (member == "bind_dn" and "@" in text) and not _DN.fullmatch(text):
                yield f'{name}.{member} is "{text[:80]}"; it should be a distinguished name, as in "ou=people,dc=example,dc=com"'
        if self.bind_dn is not None and self.bind_password is None:
            yield f"{name}.bind_password is missing: the password of bind_dn (or use bind_password_file)"
        for member in ("person_filter", "group_filter"):
            if (text := getattr(self, member)) and not _filter(text):
                yield f'{name}.{member} is "{text[:80]}"; it should be a filter in parentheses, as in "(objectClass=person)"'
        for attribute in (*self.names, self.key, self.email_attribute, self.shown_name):
            if not _ATTRIBUTE.fullmatch(attribute):
                yield f'{name}.name_attributes or another setting names the attribute "{attribute[:80]}"; it should be a name like "uid"'
        for member in ("domains", "email_domains"):
            for domain in getattr(self, member):
                if not (domain == "*" and member == "email_domains") and not _DOMAIN.fullmatch(
                    domain.lower()
                ):
                    yield f'{name}.{member} holds "{domain[:80]}"; it should be a domain like "example.com"'
        if self.lockout_threshold in {1, 2}:
            yield f"{name}.lockout_threshold is {self.lockout_threshold}; below 3 no try is left for a stranger and one for the owner (0: the directory never locks)"

    def _url_problems(self, name: str, url: str, *, development: bool) -> Iterator[str]:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in {"ldap", "ldaps"} or not host or parts.path.strip("/") or parts.query:
            yield f'{name}.urls holds "{url[:80]}"; it should be like "ldaps://dc1.example.com"'
        elif parts.scheme == "ldap" and not self.starttls and not (development and loopback(host)):
            yield f"{name}.starttls is false, and {url[:80]} would carry passwords in clear; leave it out, or use ldaps://"


class DirectoryPolicies(Section, frozen=True, forbid_unknown_fields=True):
    """All of them, by the names of their sections and in their order."""

    one_of: ClassVar[type[Section] | None] = DirectoryPolicy

    by_name: dict[str, DirectoryPolicy] = field(default_factory=dict[str, DirectoryPolicy])

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in each."""
        for name, policy in self.by_name.items():
            for problem in policy.problems_as(name, around):
                yield f"directories.{problem}"


def directory_issuer(name: str) -> str:
    """The issuer of a directory's identities in the database. No provider has such a one: theirs are https addresses."""
    return f"directory:{name}"


def directory_of(issuer: str, known: Mapping[str, DirectoryPolicy]) -> str | None:
    """The name of the directory with this issuer; None for another issuer, or a directory that is no longer in the settings."""
    kind, _, name = issuer.partition(":")
    return name if kind == "directory" and name in known else None


def _filter(text: str) -> bool:
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth < 0 or (depth == 0 and at < len(text) - 1):
            return False
    return depth == 0 and text.startswith("(")
