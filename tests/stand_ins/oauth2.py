"""Strict OAuth 2.0 services of the tests: an access token for each person, and an API that knows it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins.openid import OpenIdStandIn
from tests.stand_ins.serving import Called, Replied


@dataclass
class OAuth2StandIn(OpenIdStandIn):
    """`spoiled_tokens` replaces members of the next token responses, `spoiled_person` those of the person's document; None removes one.
    `statuses` are answers by path instead of the usual ones. `refused` has also what the API refused."""

    spoiled_tokens: dict[str, Any] = field(default_factory=dict[str, Any])
    spoiled_person: dict[str, Any] = field(default_factory=dict[str, Any])
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    holders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The person of each access token, with the scopes in `granted`."""
    _tokens: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        """The person as they are there."""
        return {**person, "granted": self.scopes(request)}

    def scopes(self, request: dict[str, str]) -> list[str]:
        """The scopes of a request."""
        return request.get("scope", "").replace(",", " ").split()

    def answer(self, called: Called) -> Replied:
        """As the base class does, unless a test wants another status."""
        if (status := self.statuses.get(called.path)) is not None:
            self.calls.append(called.path)
            return Replied(status, {"message": "as the test wants"})
        return super().answer(called)

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """A token response without an ID token."""
        access = f"gho_{next(self._tokens)}"
        self.holders[access] = claims
        said = {
            "access_token": access,
            "token_type": "bearer",
            "scope": ",".join(claims["granted"]),
            **self.spoiled_tokens,
        }
        return {name: value for name, value in said.items() if value is not None}

    def holder(self, called: Called, scheme: str = "bearer") -> dict[str, Any] | None:
        """The person of the access token in the header; None, noted in `refused`, for a wrong one."""
        kind, _, token = called.headers.get("authorization", "").partition(" ")
        found = self.holders.get(token) if kind.lower() in {scheme, "bearer"} else None
        if found is None:
            self.refused.append(f"{called.path}: 401")
        return found

    def person(self, found: dict[str, Any]) -> dict[str, Any]:
        """The person's document with what the test spoils."""
        said = {**found, **self.spoiled_person}
        return {name: value for name, value in said.items() if value is not None}
