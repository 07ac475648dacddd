"""Mapping of a provider's claims to roles and to the profile: only as the operator's settings name them, value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.provider import ExternalIdentity

ARROW: Final = "->"
MEMBERS: Final = ("name", "given_name", "family_name", "zoneinfo")
"""What a claim can become: the members of an account that apps are told."""
_MOST_VALUES: Final = 2000
_MAX_TEXT: Final = 500


class MappedClaims(Struct, frozen=True, kw_only=True):
    """What the claims say that a mapping asks for. `values` are those of the roles' claim, None: nothing was said about them, so that
    nothing changes. `elsewhere`: there were too many for the token. `profile`: members of the account and their texts."""

    values: frozenset[str] | None = None
    elsewhere: bool = False
    profile: Mapping[str, str] = {}


class RoleChange(Struct, frozen=True, kw_only=True):
    """The roles of an account afterwards (as `Role.held_as`), those of them that the mapping gave, and what changed."""

    held: tuple[str, ...]
    mapped: tuple[str, ...]
    given: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def pair(text: str) -> tuple[str, str] | None:
    """Both sides of `left -> right`, the last arrow counts; of a text without an arrow both sides are the text. None where a side is empty."""
    left, arrow, right = text.rpartition(ARROW)
    found = (left.strip(), right.strip()) if arrow else (text.strip(), text.strip())
    return found if all(found) else None


def claims_for(claims: Mapping[str, Any], *, roles_claim: str, profile: Sequence[str]) -> MappedClaims:
    """What `claims` say. `roles_claim` is the name of a claim, or a path like `realm_access.roles`, "" for none; `profile` are pairs of a
    claim and a member.

    A claim that is not there has no values, so that somebody who was in one group and is in none now loses its role. Where the token says
    that the claim is elsewhere, since it has too many values for the token (`_claim_names`, OpenID Connect Core §5.6.2; Entra's
    `hasgroups`), nothing is known, and nothing changes.
    """
    values: frozenset[str] | None = None
    elsewhere = bool(roles_claim) and _elsewhere(claims, roles_claim)
    if roles_claim and not elsewhere:
        values = _values(_found(claims, roles_claim))
    told: dict[str, str] = {}
    for one in profile:
        sides = pair(one)
        value = _found(claims, sides[0]) if sides is not None else None
        if sides is not None and isinstance(value, str) and 0 < len(value) <= _MAX_TEXT:
            told[sides[1]] = value
    return MappedClaims(values=values, elsewhere=elsewhere, profile=told)


def roles_for(values: frozenset[str], mapping: Sequence[str]) -> tuple[str, ...]:
    """The names of the roles for these values. A value that the mapping does not name gives none, whatever it is called: a role's own name
    is no exception."""
    sides = [found for one in mapping if (found := pair(one)) is not None]
    return tuple(dict.fromkeys(role for value, role in sides if value in values))


def changed_roles(held: Sequence[str], mapped: Sequence[str], wanted: Sequence[str]) -> RoleChange:
    """The roles after a sign-in. `held` are those of the account, `mapped` those of them that this mapping gave earlier, `wanted` those that
    it gives now. A role that an operator gave stays, and is not the mapping's, even where the mapping would give it too."""
    removed = tuple(one for one in mapped if one not in wanted and one in held)
    given = tuple(one for one in wanted if one not in held)
    kept = tuple(one for one in held if one not in removed)
    still = tuple(one for one in mapped if one in wanted and one in held)
    return RoleChange(held=(*kept, *given), mapped=(*still, *given), given=given, removed=removed)


def without_mapped(account: Account, ended: Iterable[ExternalIdentity]) -> Account:
    """The account when these connections end: what their mapping gave goes with them, and no other role."""
    mapped = {role for one in ended for role in one.mapped_roles}
    return structs.replace(account, role_names=tuple(one for one in account.role_names if one not in mapped))


def _elsewhere(claims: Mapping[str, Any], path: str) -> bool:
    first = path.partition(".")[0]
    names: object = claims.get("_claim_names")
    if isinstance(names, dict) and first in names:
        return True
    return first == "groups" and "groups" not in claims and claims.get("hasgroups") in (True, "true")


def _found(claims: Mapping[str, Any], path: str) -> object:
    """The claim of that name, else what the path leads to: the name of a claim may have dots of its own, as a URL has."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(name)
    return value


def _values(value: object) -> frozenset[str]:
    found = cast("list[object]", value)[:_MOST_VALUES] if isinstance(value, list) else [value]
    return frozenset(one for one in found if isinstance(one, str) and 0 < len(one) <= _MAX_TEXT)
