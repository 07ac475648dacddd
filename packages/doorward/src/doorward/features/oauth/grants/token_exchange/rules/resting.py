"""Row of an exchange: what its tokens rest on, and what therefore ends them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct

from doorward.core.model.token_exchange import Exchange
from doorward.features.oauth.grants.token_exchange.rules.acting import chain
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from doorward_verify.encoding import b64url_encode

PREFIX: Final = "exg"
LIFE: Final = 3600
"""Seconds for which a row is used again. A row of an hour ago has no living tokens where tokens live for minutes, so that few rows have to
enter the revocation view when an app is deleted; and the audit log names who acts for whom at least once an hour."""
MOST_ENDS: Final = 48
"""Ids that one row rests on: those of a few exchanges in a row."""


class Upstream(Struct, frozen=True):
    """The row of the exchange that a presented token came from, and what it rests on."""

    exchange: Exchange
    ends: Sequence[str]


def combination(
    subject: PresentedToken,
    actor: PresentedToken | None,
    *,
    act: dict[str, Any] | None,
    target: str,
    client_id: str,
) -> str:
    """The digest of everything that two exchanges must have in common to share a row."""
    parts = (
        subject.row,
        subject.subject,
        subject.client_id,
        None if actor is None else [actor.row, actor.subject, actor.client_id],
        list(chain(act)),
        target,
        client_id,
    )
    return b64url_encode(sha256(json.dumps(parts).encode()).digest())


def ends(
    exchange_id: str,
    subject: PresentedToken,
    actor: PresentedToken | None,
    *,
    act: dict[str, Any] | None,
    client_id: str,
    upstream: Sequence[Upstream],
) -> tuple[str, ...]:
    """The ids that end the row: of what the tokens began with, their subjects, every actor, every app, and what earlier exchanges rest
    on."""
    found = [exchange_id, client_id, *chain(act)]
    for token in (subject, actor):
        if token is not None:
            found += [token.subject, token.client_id, *([token.row] if token.row is not None else [])]
    for one in upstream:
        found += one.ends
    return tuple(dict.fromkeys(found))


def root(subject: PresentedToken, upstream: Upstream | None) -> str:
    """What the rows of one sign-in have in common, whose number is limited: the first token's id and subject. A trusted issuer or an API
    key has one id for the tokens of many subjects."""
    return upstream.exchange.root if upstream is not None else f"{subject.row or ''}/{subject.subject}"
