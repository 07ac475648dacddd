"""Actors of an exchanged token: who acts for the subject, and who may (RFC 8693 §1.1, §4.1, §4.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken

MOST_ACTORS: Final = 5
"""Actors of one token. A chain grows with each API that calls the next one, and stands in every token."""
_KNOWN: Final = frozenset({"sub", "iss"})


class Acting(Struct, frozen=True):
    """`act` is the claim of the new token, None without actor. `by` is the actor that this exchange adds: none where an app exchanges its
    own token, and none where it impersonates the subject."""

    act: dict[str, Any] | None
    by: str | None


def decide(
    subject: PresentedToken,
    actor: PresentedToken | None,
    *,
    client: Client,
    policy: ExchangePolicy,
    issuer: str,
) -> Acting | OAuthError:
    """Who acts in the new token.

    With an actor token its subject acts. Without one the app acts that presents the token of another app. An app that exchanges its own
    token adds nobody. An actor that is there already is never dropped, not by impersonation either.
    """
    if actor is not None and actor.actor is not None:
        # its `act` would be lost beside the actors of the subject
        return OAuthError(
            "invalid_request", "The actor_token speaks for its subject through somebody else itself."
        )
    who = actor.subject if actor is not None else None if subject.client_id == client.id else client.id
    if subject.may_act is not None and not _names(subject.may_act, who or client.id, issuer):
        # also without an actor token: then the app that sent the request is the actor
        return OAuthError(
            "invalid_request",
            "The subject_token names another actor in may_act.",
            f"may_act of a token of app {subject.client_id} does not name {who or client.id}",
        )
    if who is None or (actor is None and policy.impersonate):
        return Acting(subject.actor, None)
    act: dict[str, Any] = {"sub": who}
    if subject.actor is not None:
        act["act"] = subject.actor
    if sum(1 for _ in chain(act)) > MOST_ACTORS:
        return OAuthError(
            "invalid_request",
            f"The token went through {MOST_ACTORS} actors already.",
            f"{who} would be one more actor than {MOST_ACTORS}",
        )
    return Acting(act, who)


def chain(act: Mapping[str, Any] | None) -> Iterator[str]:
    """The `sub` of every actor, the present one first."""
    while act is not None:
        yield act["sub"]
        act = act.get("act")


def _names(may_act: Mapping[str, Any], who: str, issuer: str) -> bool:
    """Whether the claim names this actor. A member with an unknown meaning could narrow it, so that it names nobody."""
    return may_act.keys() <= _KNOWN and may_act.get("sub") == who and may_act.get("iss", issuer) == issuer
