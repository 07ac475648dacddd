"""Key wrapping under a key in a hardware token: AES-GCM in the token, PKCS#11 v3.0 §2.12.3 (CKM_AES_GCM)."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import suppress
from typing import Any, final

from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem, WrongKey

try:
    import pkcs11
    from pkcs11 import exceptions
except ImportError:
    raise KeyProblem(
        "keys.pkcs11_module is set, and the client for it is not installed.",
        "Install the extra: pip install 'doorward[pkcs11]'.",
    ) from None

_VERSION = b"\x03"
_NONCE = 12
_TAG_BITS = 128
# A token has one login state for each process: two concurrent sessions would log each other out.
_one_at_a_time = threading.Lock()
# Tokens report a wrong tag differently: some with the standard's error (v3.0 §5.1.6), SoftHSM with a general error.
_DOES_NOT_OPEN = (
    exceptions.EncryptedDataInvalid,
    exceptions.EncryptedDataLenRange,
    exceptions.FunctionFailed,
    exceptions.GeneralError,
)
# What may be another answer in a moment (v3.0 §5.1.2): a token that two processes open at once, each of which writes what it notes of a
# login, answers one of them with an error, or is missing from the list that the library made of tokens when it began. A wrong PIN is
# none of these, so that no retry uses up its tries.
_IN_A_MOMENT = (
    exceptions.DeviceError,
    exceptions.FunctionFailed,
    exceptions.GeneralError,
    exceptions.NoSuchToken,
    exceptions.TokenNotRecognised,
)
_PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each further try."""


@final
class TokenWrapper:
    """`KeyWrapper` by the AES key `key` of the token `token` (labels), through the shared library `module`.

    The key needs only CKA_ENCRYPT and CKA_DECRYPT, and should be sensitive and not extractable. A session is opened for
    each use and closed after it, so that a token may be removed and reinserted.
    """

    def __init__(self, module: str, *, token: str, key: str, pin: Secret) -> None:
        self._module = module
        self._token = token
        self._key = key
        self._pin = pin

    @property
    def id(self) -> str:
        """The labels of token and key."""
        return f"pkcs11:{self._token}/{self._key}"

    async def wrap(self, context: str, key: bytes) -> bytes:
        """Version byte, nonce, and the token's output: ciphertext and tag. Raises `KeyProblem`."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + await asyncio.to_thread(self._use, nonce, context, key, opening=False)

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """Raises `WrongKey`, `KeyProblem`."""
        if wrapped[:1] != _VERSION or len(wrapped) < 1 + _NONCE + _TAG_BITS // 8:
            raise WrongKey("This is no key that was wrapped by a token.")
        nonce, rest = wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :]
        return await asyncio.to_thread(self._use, nonce, context, rest, opening=True)

    def _use(self, nonce: bytes, context: str, data: bytes, *, opening: bool) -> bytes:
        how = pkcs11.GCMParams(nonce, context.encode(), _TAG_BITS)
        for pause in (*_PAUSES, None):
            with _one_at_a_time:
                try:
                    return self._used(data, how, opening=opening)
                except _IN_A_MOMENT as error:
                    if pause is None:
                        raise self._problem(error) from None
                    # reads the list of tokens anew
                    with suppress(exceptions.PKCS11Error):
                        pkcs11.lib(self._module).reinitialize()
                except exceptions.PKCS11Error as error:
                    raise self._problem(error) from None
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _used(self, data: bytes, how: Any, *, opening: bool) -> bytes:
        token = pkcs11.lib(self._module).get_token(token_label=self._token)
        with token.open(user_pin=self._pin.reveal()) as session:
            # read all results: an unfinished search blocks the session
            wanted = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.Attribute.LABEL: self._key,
            }
            keys: list[Any] = list(session.get_objects(wanted))
            if len(keys) != 1:
                raise exceptions.MultipleObjectsReturned if keys else exceptions.NoSuchKey
            key = keys[0]
            if opening:
                return self._open(key, data, how)
            return key.encrypt(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=how)

    def _open(self, key: Any, data: bytes, how: Any) -> bytes:
        try:
            return key.decrypt(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=how)
        except _DOES_NOT_OPEN as error:
            raise WrongKey(f"{self.id} does not open it ({type(error).__name__}).") from None

    def _problem(self, error: Exception) -> KeyProblem:
        name = type(error).__name__
        if name == "PKCS11Error":
            # not an answer of the token: its library cannot be loaded
            name = str(error)
        fix = _FIXES.get(name, "Try it by hand: pkcs11-tool --module MODULE --list-token-slots.")
        return KeyProblem(f"The token {self._token} ({self._module}) cannot be used: {name}.", fix)


_FIXES = {
    "NoSuchToken": "keys.pkcs11_token names the token's label, as in the list of: pkcs11-tool --list-token-slots.",
    "NoSuchKey": "keys.pkcs11_key names the label of an AES key in that token.",
    "MultipleObjectsReturned": "Two keys have this label: give keys.pkcs11_key one of its own.",
    "PinIncorrect": "Correct keys.pkcs11_pin before the next start: a token locks itself after a few wrong ones.",
    "PinLocked": "Unlock the token with its security officer's PIN.",
}
