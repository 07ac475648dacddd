"""Life cycle of the signing keys: next -> current -> previous -> retired, one chain for each algorithm (R52).

The next key is published long before it signs, so that every API has it when the first token arrives; the previous one stays until
the last token that it signed has expired.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from doorward.core.model.client import Client, SigningAlgorithm
from doorward.core.model.config_snapshot import RSA_BITS, Api, StoredSigningKey
from doorward.features.oauth.tokens.rules import access
from doorward_verify.encoding import b64url_decode


class Start(Struct, frozen=True):
    """There is no key to sign with: make a current one at once."""

    alg: SigningAlgorithm


class Publish(Struct, frozen=True):
    """Make the key after the current one."""

    alg: SigningAlgorithm


class Replace(Struct, frozen=True):
    """The next key has another size than keys made now: it has signed nothing, and is replaced."""

    following: StoredSigningKey


class Promote(Struct, frozen=True):
    """`following` becomes current; `current`, if there is one, becomes previous."""

    following: StoredSigningKey
    current: StoredSigningKey | None


class Lengthen(Struct, frozen=True):
    """Store that the key signs tokens with a longer life than before."""

    key: StoredSigningKey


class Retire(Struct, frozen=True):
    """No live token was signed with this key: it leaves the published set."""

    key: StoredSigningKey


Change = Start | Publish | Replace | Promote | Lengthen | Retire


def algorithms(
    clients: Iterable[Client], apis: Iterable[Api], *, events: bool = False
) -> tuple[SigningAlgorithm, ...]:
    """ES256, and the algorithms registered for any app or API. An app without sign-in gets no ID token. `events`: apps have streams of
    security events, which are signed with RS256."""
    used: list[SigningAlgorithm | None] = [access.DEFAULT]
    for client in clients:
        if client.signs_people_in:
            used.extend((client.id_token_signed_alg, client.userinfo_signed_alg))
        used.append(client.access_token_signed_alg)
    used.extend(api.signing_alg for api in apis)
    used.append("RS256" if events else None)
    return tuple(alg for alg in dict.fromkeys(used) if alg is not None)


def missing(
    keys: Iterable[StoredSigningKey], needed: Iterable[SigningAlgorithm]
) -> tuple[SigningAlgorithm, ...]:
    """The needed algorithms without a current key."""
    held = list(keys)
    return tuple(alg for alg in needed if first(held, alg, "current") is None)


def due(
    keys: Iterable[StoredSigningKey],
    needed: Iterable[SigningAlgorithm],
    *,
    now: int,
    publish_ahead: int,
    rotate_after: int,
    access_life: int,
    id_life: int,
    margin: int,
) -> list[Change]:
    """The due changes. Times in seconds; `rotate_after` 0: never by time; `access_life` and `id_life` are the longest lives of access
    and ID tokens issued now; `margin` is how long a verifier may still accept an expired token.

    A rotation that is due while the next key is younger than `publish_ahead` waits; a missing current key does not. RSA keys of
    another size than `RSA_BITS`, made by older versions, are replaced: the next one at once, the current one by a rotation.
    """
    held = list(keys)
    changes: list[Change] = []
    for alg in needed:
        current = first(held, alg, "current")
        following = first(held, alg, "next")
        if current is None:
            changes.append(Start(alg) if following is None else Promote(following, None))
            # the next round makes the key after the new current one
        elif following is None:
            changes.append(Publish(alg))
        elif _other_make(following):
            changes.append(Replace(following))
        elif (
            rotate_after
            and (now - (current.activated_at or current.created_at) >= rotate_after or _other_make(current))
            and now - following.created_at >= publish_ahead
        ):
            changes.append(Promote(following, current))
    for key in held:
        if key.state == "current" and key.token_life < access_life:
            changes.append(Lengthen(key))
        elif key.state == "previous":
            last = (key.retired_at or key.created_at) + max(key.token_life, access_life, id_life)
            if now >= last + margin:
                changes.append(Retire(key))
    return changes


def first(keys: Iterable[StoredSigningKey], alg: str, state: str) -> StoredSigningKey | None:
    """The oldest key of an algorithm in a state."""
    fitting = [key for key in keys if key.alg == alg and key.state == state]
    return min(fitting, key=lambda key: (key.created_at, key.id), default=None)


def _other_make(key: StoredSigningKey) -> bool:
    modulus: object = key.public_jwk.get("n")
    if key.alg != "RS256" or not isinstance(modulus, str):
        return False
    return int.from_bytes(b64url_decode(modulus), "big").bit_length() != RSA_BITS
