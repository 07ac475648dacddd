"""Draft of an API key, as its future owner asks for it, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core import text
from doorward.core.model.api_key import ApiKey
from doorward.features.api_keys.rules import networks
from doorward.features.api_keys.settings import DAY, ApiKeyPolicy

MAX_NAME: Final = 60
MOST_SCOPES: Final = 100
LEAST_LIFE: Final = 3600

DraftFault = Literal["name", "audience", "scopes", "life", "networks", "overlap"]


class Draft(Struct, frozen=True, kw_only=True):
    """What is asked for. `life` in seconds; the owner is never part of it."""

    name: str
    audience: str
    scopes: tuple[str, ...]
    life: int
    networks: tuple[str, ...] = ()


def checked(draft: Draft, *, held: Mapping[str, Sequence[str]], policy: ApiKeyPolicy) -> Draft | DraftFault:
    """The draft in its normal form, or the part that is wrong. `held`: by API, what the owner may do now; a key never begins with more."""
    name = text.name(draft.name)
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        return "name"
    if draft.audience not in held:
        return "audience"
    scopes = tuple(name for name in held[draft.audience] if name in draft.scopes)
    if not scopes or len(scopes) < len(set(draft.scopes)) or len(scopes) > MOST_SCOPES:
        return "scopes"
    if not LEAST_LIFE <= draft.life <= policy.longest_life:
        return "life"
    where = networks.parse(draft.networks)
    if isinstance(where, str) or len(where) > networks.MOST_NETWORKS:
        return "networks"
    return Draft(name=name, audience=draft.audience, scopes=scopes, life=draft.life, networks=where)


def new_life(key: ApiKey, policy: ApiKeyPolicy) -> int:
    """The life of a key that is rotated: as long as it was made for, or the longest one by now."""
    return min(key.expires_at - (key.rotated_at or key.created_at), policy.longest_life)


def days_left(key: ApiKey, now: int) -> int:
    """The whole days until it expires, at least 1."""
    return max(1, -(-(key.expires_at - now) // DAY))
