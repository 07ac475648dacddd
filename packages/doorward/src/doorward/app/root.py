"""Root secret of a process: opened with the key-encryption key of the settings; the very first start creates both."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.adapters.clock import SystemClock
from doorward.adapters.keys import signing
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.secret_key import new_secret, secret_key
from doorward.adapters.random import SystemRandom
from doorward.app.key_wrapper import held_here, key_wrapper, lost, place_of
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward.core.ports.key_wrapper import KeyProblem
from doorward.features.signing_keys.root import RootSecret, make_root, open_root
from doorward.settings import Settings
from doorward.storage.sql.store import Store


async def find_root(settings: Settings, store: Store) -> RootSecret | None:
    """The root secret of the database, or None where there is none yet; changes nothing. Raises `KeyProblem`."""
    root = await store.wrapped_keys.root()
    if root is None:
        return None
    if lost(settings):
        needed = " or ".join(wrapping.kek for wrapping in root[1])
        raise KeyProblem(
            f"There is no secret key in {settings.secret_key_path}, and this database needs {needed}.",
            "Put its backup there, or on one more machine a copy of what the others have, with mode 0600; or name its place in "
            "keys.secret_key_file. If it is lost, move the database away as well and begin anew.",
        )
    return await open_root(store, key_wrapper(settings), place=place_of(settings))


async def check_key(settings: Settings, store: Store) -> None:
    """Whether a secret key that this process reads itself belongs to this database. Raises `KeyProblem`.

    A command or a token is not checked: the operator who makes backups needs permission only to wrap.
    """
    if held_here(settings):
        await find_root(settings, store)


async def root_secret(settings: Settings, store: Store) -> RootSecret:
    """The root secret, created where there is none yet. Raises `KeyProblem`.

    A database with sealed values but no root dates from when the secret key itself was the root: that key becomes the root. No
    new key is created beside sealed values: it would be taken for the right one from then on.
    """
    found = await find_root(settings, store)
    if found is not None:
        return found
    sealed = (await store.registry.load()).keys
    secret = _sealed_under(settings, sealed) if sealed else new_secret()
    return await make_root(
        store,
        key_wrapper(settings, generate=settings.keys.generate and not sealed),
        SystemRandom(),
        secret=secret,
        now=SystemClock().now(),
        place=place_of(settings),
    )


def _sealed_under(settings: Settings, sealed: Sequence[StoredSigningKey]) -> bytes:
    """The secret key, once it has opened every signing key."""
    place = place_of(settings)
    if lost(settings) or not held_here(settings):
        raise KeyProblem(
            f"There is no secret key in {settings.secret_key_path}, and the signing keys in this database are sealed under one.",
            "Put its backup there with mode 0600, or name its place in keys.secret_key_file. "
            "If it is lost, move the database away as well and begin anew.",
        )
    secret = secret_key(settings.keys.secret_key, settings.secret_key_path, generate=False)
    sealer = KeyedSealer(secret)
    try:
        for key in sealed:
            sealer.open(signing.PURPOSE, key.id, key.sealed)
    except ValueError:
        raise KeyProblem(
            "The signing keys in this database are sealed under another secret key.",
            f"Put the right key into {place} (or keys.secret_key).",
        ) from None
    return secret
