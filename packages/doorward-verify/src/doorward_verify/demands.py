"""Authorization check of a principal: scopes (RFC 6750 §3.1), roles, permissions, step-up (RFC 9470 §3)."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from doorward_verify.auth_error import AuthError
from doorward_verify.principal import Principal

LEVELS: Final = ("urn:doorward:aal1", "urn:doorward:aal2", "phr", "phrh", "urn:doorward:aal3")
"""Doorward's assurance levels, weakest first; each one includes those before it."""


class Demand(Struct, frozen=True):
    """The requirements of a resource: every scope, role and permission; one of `acr`, or a stronger level of
    Doorward; a sign-in at most `max_age` seconds ago."""

    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    max_age: int | None = None


def demand(
    *,
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    permissions: Iterable[str] = (),
    acr: Iterable[str] = (),
    max_age: int | None = None,
) -> Demand:
    """Build a `Demand` from any iterables. Raises `TypeError` for one string instead of several, `ValueError`
    for a bad age."""
    if any(isinstance(given, str) for given in (scopes, roles, permissions, acr)):
        raise TypeError('scopes, roles, permissions and acr are lists: scopes=["orders:read"]')
    if max_age is not None and max_age < 0:
        raise ValueError("max_age is a number of seconds, 0 or more")
    return Demand(tuple(scopes), tuple(roles), tuple(permissions), tuple(acr), max_age)


def check(principal: Principal, asked: Demand, now: float) -> AuthError | None:
    """Return None when all requirements are met, otherwise the first one missing, in the order scope, role, step-up."""
    if any(scope not in principal.scopes for scope in asked.scopes):
        return AuthError("scope", "a scope is missing", scopes=asked.scopes)
    if any(role not in principal.roles for role in asked.roles):
        return AuthError("roles", "a role is missing")
    if any(permission not in principal.permissions for permission in asked.permissions):
        return AuthError("roles", "a permission is missing")
    weak = bool(asked.acr) and not any(_reached(principal.acr, wanted) for wanted in asked.acr)
    # a token without the time of the sign-in proves no recent sign-in
    old = asked.max_age is not None and (
        principal.auth_time is None or now - principal.auth_time > asked.max_age
    )
    if weak or old:
        because = "the sign-in is not of the asked-for strength" if weak else "the sign-in is too old"
        return AuthError("step_up", because, acr_values=asked.acr, max_age=asked.max_age)
    return None


def _reached(have: str | None, wanted: str) -> bool:
    """Whether a level is `wanted`, or one that includes it. A token names the level that its app asked for; without the
    order, an app that was sent to step up for one resource would be sent back by another that needs less."""
    if have in LEVELS and wanted in LEVELS:
        return LEVELS.index(have) >= LEVELS.index(wanted)
    return have == wanted
