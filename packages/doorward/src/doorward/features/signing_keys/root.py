"""Opening of the root secret, from which the keys of all encrypted data are derived, and its creation.

It is stored only wrapped, under key-encryption keys that are kept elsewhere. A process that can open one wrapping is a node of this
server.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core.model.actor import SERVER
from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper, WrongKey
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.operator import operator_event
from doorward.storage.sql.store import Store


class RootSecret(Struct, frozen=True, kw_only=True):
    """The root secret in clear, in the memory of one process; `opened_by` is the wrapping that contained it."""

    opened_by: WrappedKey
    secret: bytes

    def __repr__(self) -> str:
        return f"RootSecret(opened_by={self.opened_by!r})"


async def open_root(store: Store, wrapper: KeyWrapper, *, place: str) -> RootSecret | None:
    """The database's root secret; None when it has none yet. `place` describes where the wrapper's key was found.

    Raises `KeyProblem`, whose text names the required key and the given one by their fingerprints.
    """
    found = await store.wrapped_keys.root()
    if found is None:
        return None
    root_id, wrappings = found
    refused: KeyProblem | None = None
    for wrapping in _candidates(wrappings, wrapper.id):
        try:
            return RootSecret(opened_by=wrapping, secret=await wrapper.unwrap(root_id, wrapping.wrapped))
        except KeyProblem as problem:
            refused = problem
    if refused is not None and not isinstance(refused, WrongKey):
        raise refused
    needed = " or ".join(wrapping.kek for wrapping in wrappings)
    if not needed:
        raise KeyProblem(
            f"Every wrapping of the root secret {root_id} is gone from this database.",
            "Restore a backup: without the root secret nothing that is encrypted can be read.",
        )
    if any(wrapping.kek == wrapper.id for wrapping in wrappings):
        raise KeyProblem(
            f"{wrapper.id} does not open its wrapping of the root secret: it is damaged, or the key behind that name is another one.",
            "Put the former key back, start with another one that opens it (doorward keys wrappings), or restore a backup.",
        )
    raise KeyProblem(
        f"The root secret of this database is wrapped under another key: it needs {needed}; given was {wrapper.id} ({place}).",
        "Put the right key there, or, where it is still at hand, add the new one: doorward keys rewrap",
    )


async def make_root(
    store: Store, wrapper: KeyWrapper, random: SecureRandom, *, secret: bytes, now: int, place: str
) -> RootSecret:
    """Make `secret` the root of a database that has none. Of several nodes that start concurrently one does, and the others open its
    result. Raises `KeyProblem`."""
    root_id = random.new_id("root")
    wrapping = WrappedKey(root_id, wrapper.id, await wrapper.wrap(root_id, secret), now)
    made = await store.commit(
        store.wrapped_keys.insert_root(wrapping),
        operator_event(
            store,
            random,
            actor=SERVER,
            kind="root_secret.created",
            now=now,
            root_id=root_id,
            kek=wrapper.id,
        ),
    )
    if made:
        return RootSecret(opened_by=wrapping, secret=secret)
    opened = await open_root(store, wrapper, place=place)
    if opened is None:
        raise KeyProblem("The root secret could not be stored.", "Try again.")
    return opened


def _candidates(wrappings: Sequence[WrappedKey], kek: str) -> Sequence[WrappedKey]:
    """The wrapping under this key; else those of the same kind, since a command's or a token's key may have another name on another
    node. A wrong key is detected by the wrapping's authentication tag."""
    own = [wrapping for wrapping in wrappings if wrapping.kek == kek]
    scheme = kek.partition(":")[0]
    return own or [wrapping for wrapping in wrappings if wrapping.kek.partition(":")[0] == scheme]
