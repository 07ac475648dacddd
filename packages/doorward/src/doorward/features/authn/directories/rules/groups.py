"""Roles from the groups of a directory, with groups inside groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.rules.names import escaped
from doorward.features.authn.directories.settings import DirectoryPolicy

MEMBERS: Final = ("member", "uniqueMember")
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
"""LDAP_MATCHING_RULE_IN_CHAIN: Active Directory follows groups in groups itself (MS-ADTS §3.1.1.3.4.4.3)."""


def direct_filter(policy: DirectoryPolicy, dn: str) -> str:
    """The filter for the groups of a person: with Active Directory all of them, else those that name the person."""
    if policy.active_directory:
        rule = f":{_IN_CHAIN}:" if policy.nested_groups else ""
        return f"(&{policy.groups}(member{rule}={escaped(dn)}))"
    either = "".join(f"({name}={escaped(dn)})" for name in MEMBERS)
    return f"(&{policy.groups}(|{either}))"


def parents(groups: Sequence[LdapEntry]) -> Mapping[str, Sequence[str]]:
    """From all groups: for each that is in others, those others. Names of groups by `same_dn`."""
    known = {same_dn(group.dn) for group in groups}
    found: dict[str, list[str]] = {}
    for group in groups:
        for member in (text for name in MEMBERS for text in group.texts(name)):
            if (inner := same_dn(member)) in known:
                found.setdefault(inner, []).append(same_dn(group.dn))
    return found


def closure(direct: Collection[str], above: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The groups and all groups around them, each once: a circle of groups ends."""
    found, left = set[str](), list(direct)
    while left:
        group = left.pop()
        if group not in found:
            found.add(group)
            left += above.get(group, ())
    return frozenset(found)


def mapped_roles(policy: DirectoryPolicy, groups: Collection[str]) -> frozenset[str]:
    """The names of the roles of a member of these groups. The settings name a group by its DN, or by the value of its first part."""
    held = {name for dn in groups for name in (same_dn(dn), _first(dn))}
    return frozenset(
        role
        for role, named in policy.roles.items()
        if any((same_dn(one) if "=" in one else one.strip().casefold()) in held for one in named)
    )


def roles_after(
    held: Sequence[str], *, mapped: Collection[str], granted: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the roles of an account, those of them that the directory gave). `mapped`: those that it gave before; it takes no other away."""
    kept = [role for role in held if role in granted or role not in mapped]
    given = tuple(sorted(role for role in granted if role in mapped or role not in held))
    return tuple(dict.fromkeys((*kept, *given))), given


def same_dn(dn: str) -> str:
    """A spelling of a DN to compare by: without case, and without spaces around its separators."""
    return ",".join(
        "=".join(half.strip() for half in part.split("=", 1)) for part in dn.casefold().split(",")
    )


def _first(dn: str) -> str:
    return same_dn(dn).partition(",")[0].partition("=")[2]
