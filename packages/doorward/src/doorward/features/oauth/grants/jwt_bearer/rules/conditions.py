"""Conditions of a trusted issuer's rules: exact values of claims, and the nearest rule of an assertion that fits none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct

from doorward.core.model.trusted_issuer import IssuerRule

_LONGEST: Final = 120


class Fitting(Struct, frozen=True):
    """The rules that an assertion fits, of one app."""

    client_id: str
    rules: tuple[IssuerRule, ...]

    @property
    def access(self) -> dict[str, tuple[str, ...]]:
        """What the rules allow together: API identifier -> permission names; empty: all that the app may."""
        if any(not rule.access for rule in self.rules):
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for rule in self.rules:
            for api, names in rule.access.items():
                found[api] = tuple(dict.fromkeys((*found.get(api, ()), *names)))
        return found


class Unfitting(Struct, frozen=True):
    """No rule, or rules of several apps. `reason` is for the operator's log, and quotes claims; `nearest` is the rule with the fewest
    differences, `difference` the first of them as `claim=value` of the assertion, None where that cannot be stated as a condition."""

    reason: str
    nearest: IssuerRule | None = None
    difference: str | None = None


def value_at(claims: Mapping[str, Any], name: str) -> str | None:
    """The claim as text; None: it is missing, or neither text, a whole number nor true or false.

    A name that begins with "/" leads into nested claims (RFC 6901 §4): `kubernetes.io` has a dot in its own name.
    """
    found: object = claims
    steps = _steps(name) if name.startswith("/") else (name,)
    for step in steps:
        if not isinstance(found, Mapping):
            return None
        found = cast("Mapping[str, object]", found).get(step)
    match found:
        case bool():
            return "true" if found else "false"
        case str():
            return found
        case int():
            return str(found)
        case _:
            return None


def fit(
    rules: Sequence[IssuerRule], claims: Mapping[str, Any], *, client_id: str | None
) -> Fitting | Unfitting:
    """The rules whose every claim is exactly that of the assertion; `client_id` is the app that the request names, if it names one.

    A prefix or a pattern never fits: with `sub` beginning with `repo:org/app` the repository `org/app-of-somebody` would fit too.
    """
    if not rules:
        return Unfitting("the issuer has no rule")
    differing = [(rule, _differences(rule, claims)) for rule in rules]
    fitting = [rule for rule, differences in differing if not differences]
    apps = tuple(dict.fromkeys(rule.client_id for rule in fitting))
    if client_id is not None and fitting:
        own = tuple(rule for rule in fitting if rule.client_id == client_id)
        if own:
            return Fitting(client_id, own)
        return Unfitting(
            f"rule {fitting[0].name!r} fits, which is of another app than the one of the request"
        )
    if len(apps) == 1:
        return Fitting(apps[0], tuple(fitting))
    if apps:
        names = ", ".join(repr(rule.name) for rule in fitting)
        return Unfitting(f"the rules {names} of several apps fit, and the request names no app (client_id)")
    nearest, differences = min(differing, key=lambda one: len(one[1]))
    said = "; ".join(_said(nearest, name, claims) for name in differences)
    name = differences[0]
    value = value_at(claims, name)
    return Unfitting(
        f"no rule fits; nearest is {nearest.name!r}: {said}",
        nearest,
        f"{name}={value}" if value is not None and len(value) <= _LONGEST else None,
    )


def _differences(rule: IssuerRule, claims: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, wanted in rule.claims.items() if value_at(claims, name) != wanted)


def _said(rule: IssuerRule, name: str, claims: Mapping[str, Any]) -> str:
    value = value_at(claims, name)
    if value is None:
        return f"the assertion has no {name}, or it is a list or an object"
    return f"{name} is {value[:_LONGEST]!r} and not {rule.claims[name]!r}"


def _steps(pointer: str) -> tuple[str, ...]:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
