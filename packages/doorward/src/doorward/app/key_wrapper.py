"""Key-encryption key of the settings: a secret key, a command that unwraps, or a key in a PKCS#11 token."""

from __future__ import annotations

import shlex
from pathlib import Path

from doorward.adapters.keys.secret_key import secret_key
from doorward.adapters.keys.wrap_command import CommandWrapper
from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyWrapper
from doorward.settings import Settings
from doorward.storage.sqlite.owner import hand_over


def key_wrapper(settings: Settings, *, generate: bool = False) -> KeyWrapper:
    """The wrapper. With `generate` a missing secret key file is created. Raises `KeyProblem`."""
    keys = settings.keys
    if keys.pkcs11_module is not None:
        # an extra: only installations with a token need its client
        from doorward.adapters.keys.wrap_pkcs11 import TokenWrapper

        # `load` rejects settings with a module but no token or PIN
        pin = keys.pkcs11_pin or Secret("")
        return TokenWrapper(keys.pkcs11_module, token=keys.pkcs11_token or "", key=keys.pkcs11_key, pin=pin)
    if keys.unwrap_command is not None:
        return CommandWrapper(
            unwrap=shlex.split(keys.unwrap_command),
            wrap=shlex.split(keys.wrap_command) if keys.wrap_command is not None else None,
            timeout=keys.command_timeout,
        )
    return LocalWrapper(
        secret_key(keys.secret_key, settings.secret_key_path, generate=generate, own=hand_over)
    )


def key_of_file(path: Path) -> KeyWrapper:
    """The secret key that a file holds; created if the file is missing. Raises `KeyProblem`."""
    return LocalWrapper(secret_key(None, str(path.absolute()), generate=True, own=hand_over))


def place_of(settings: Settings) -> str:
    """Description for people of where the key-encryption key is read from."""
    keys = settings.keys
    if keys.pkcs11_module is not None:
        return "the key of keys.pkcs11_module"
    if keys.unwrap_command is not None:
        return "the key behind keys.unwrap_command"
    return "keys.secret_key" if keys.secret_key is not None else settings.secret_key_path


def held_here(settings: Settings) -> bool:
    """Whether the key-encryption key is a secret key that this process reads itself."""
    return settings.keys.pkcs11_module is None and settings.keys.unwrap_command is None


def lost(settings: Settings) -> bool:
    """Whether the settings name a secret key file that does not exist."""
    return (
        held_here(settings)
        and settings.keys.secret_key is None
        and not Path(settings.secret_key_path).exists()
    )
