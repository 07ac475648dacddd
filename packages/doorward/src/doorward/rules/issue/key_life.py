"""What is due in the life of the signing keys? next -> current -> previous -> retired, one chain for each algorithm (line 52).

The next key is published long before it signs, so that every API has it when the first token comes; the previous one stays
until the last token that it signed has expired.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from doorward.model.catalog import SigningKey
from doorward.model.client import Client, SigningAlgorithm


class Start(Struct, frozen=True):
    """There is no key to sign with: make one that is current at once."""

    alg: SigningAlgorithm


class Publish(Struct, frozen=True):
    """Make the key that comes after the current one."""

    alg: SigningAlgorithm


class Turn(Struct, frozen=True):
    """`following` becomes current; `current`, if there is one, becomes previous."""

    following: SigningKey
    current: SigningKey | None


class Lengthen(Struct, frozen=True):
    """Write down that the key signs tokens that live longer than any before."""

    key: SigningKey


class Retire(Struct, frozen=True):
    """No living token was signed with this key: it leaves the published set."""

    key: SigningKey


Change = Start | Publish | Turn | Lengthen | Retire


def algorithms(clients: Iterable[Client]) -> tuple[SigningAlgorithm, ...]:
    """ES256, and what any app is registered to get."""
    used: list[SigningAlgorithm] = ["ES256"]
    for client in clients:
        used.append(client.signing_alg)
        if client.userinfo_signed_alg is not None:
            used.append(client.userinfo_signed_alg)
    return tuple(dict.fromkeys(used))


def due(
    keys: Iterable[SigningKey],
    needed: Iterable[SigningAlgorithm],
    *,
    now: int,
    publish_ahead: int,
    rotate_after: int,
    access_life: int,
    id_life: int,
    margin: int,
) -> list[Change]:
    """What is to be done now. Times in seconds; `rotate_after` 0: never by itself; `access_life` and `id_life` the longest that
    access and ID tokens live which are given out now; `margin` for how long a verifier may still accept what has expired.

    A turn that comes due while the next key is younger than `publish_ahead` waits; a missing current key never does.
    """
    held = list(keys)
    changes: list[Change] = []
    for alg in needed:
        current = first(held, alg, "current")
        following = first(held, alg, "next")
        if current is None:
            changes.append(Start(alg) if following is None else Turn(following, None))
            # what follows the new current key is made in the next round
        elif following is None:
            changes.append(Publish(alg))
        elif (
            rotate_after
            and now - (current.activated_at or current.created_at) >= rotate_after
            and now - following.created_at >= publish_ahead
        ):
            changes.append(Turn(following, current))
    for key in held:
        if key.state == "current" and key.token_life < access_life:
            changes.append(Lengthen(key))
        elif key.state == "previous":
            last = (key.retired_at or key.created_at) + max(key.token_life, access_life, id_life)
            if now >= last + margin:
                changes.append(Retire(key))
    return changes


def first(keys: Iterable[SigningKey], alg: str, state: str) -> SigningKey | None:
    """The oldest key of an algorithm in a state."""
    fitting = [key for key in keys if key.alg == alg and key.state == state]
    return min(fitting, key=lambda key: (key.created_at, key.id), default=None)
