"""Key wrapping by an external program. Envelope: the program wraps a data key, AES-256-GCM does the rest.

This connects the command line of a cloud's key service, or of a secret store: it reads base64 on standard input and
writes base64 on standard output.
"""

from __future__ import annotations

import asyncio
import os
import signal
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePath
from typing import final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.adapters.keys.envelope import seal
from doorward.adapters.keys.wrap_local import unseal
from doorward.core.ports.key_wrapper import KeyProblem, WrongKey

_VERSION = b"\x02"
_LENGTH = 2
OUTPUT_LIMIT = 16 * 1024
"""The most output of a command in bytes; the blobs of key services have some hundred bytes."""
_COMPLAINT = 600


@final
class CommandWrapper:
    """`KeyWrapper` by two commands (argument lists, started without a shell; `timeout` in seconds).

    Format: version byte, two bytes of length, the wrapped data key from the command, then the envelope. The envelope
    binds the context, which a command could not, and shows whether the command returned the correct data key. The
    commands do not get `DOORWARD_*` variables.
    """

    def __init__(self, *, unwrap: Sequence[str], wrap: Sequence[str] | None, timeout: float) -> None:
        if not unwrap:
            raise KeyProblem("keys.unwrap_command is empty.", "Name the program that unwraps.")
        self._unwrap = tuple(unwrap)
        self._wrap = tuple(wrap) if wrap else None
        self._timeout = timeout

    @property
    def id(self) -> str:
        """The program and a fingerprint of the whole command: only the command knows the name of the key behind it."""
        program = PurePath(self._unwrap[0]).name
        return f"command:{program}:{sha256(chr(0).join(self._unwrap).encode()).hexdigest()[:8]}"

    async def wrap(self, context: str, key: bytes) -> bytes:
        """Raises `KeyProblem`."""
        if self._wrap is None:
            raise KeyProblem(
                "keys.wrap_command is missing: it is needed once, to wrap what keys.unwrap_command will unwrap.",
                "Set it for the first start, for doorward keys rewrap and for backups.",
            )
        data_key = os.urandom(32)
        blob = await self._run("keys.wrap_command", self._wrap, data_key)
        if data_key in blob:
            raise KeyProblem(
                "keys.wrap_command gave back what it was given, in clear.", "It has to encrypt its input."
            )
        return (
            _VERSION
            + len(blob).to_bytes(_LENGTH, "big")
            + blob
            + seal(AESGCM(data_key), _bound(context, blob), key)
        )

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """Raises `WrongKey`, and `KeyProblem` with the command's error output."""
        begin = 1 + _LENGTH
        end = begin + int.from_bytes(wrapped[1:begin], "big")
        if wrapped[:1] != _VERSION or len(wrapped) <= end:
            raise WrongKey("This is no key that was wrapped by a command.")
        blob = wrapped[begin:end]
        data_key = await self._run("keys.unwrap_command", self._unwrap, blob)
        if len(data_key) != 32:
            raise WrongKey("keys.unwrap_command answered with something that is no key of 32 bytes.")
        return unseal(AESGCM(data_key), _bound(context, blob), wrapped[end:])

    async def _run(self, setting: str, command: Sequence[str], given: bytes) -> bytes:
        text = b64encode(given)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                # a process group of its own, so that its child processes end with it
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it holds a zero byte"
            raise KeyProblem(
                f"{setting}: {command[0]} cannot be started ({why}).", "Name the program with its full path."
            ) from None
        try:
            async with asyncio.timeout(self._timeout):
                out, complaint, _ = await asyncio.gather(
                    _read(process.stdout, OUTPUT_LIMIT),
                    _read(process.stderr, 64 * 1024),
                    _feed(process, text),
                )
                status = await process.wait()
        except TimeoutError:
            await _end(process)
            raise KeyProblem(
                f"{setting}: {command[0]} did not answer within {self._timeout:g} s.",
                "Try it by hand; keys.command_timeout gives it longer.",
            ) from None
        except BaseException:
            await _end(process)
            raise
        if status != 0:
            said = " ".join(complaint.decode("utf-8", "replace").replace(text.decode(), "***").split())
            raise KeyProblem(
                f"{setting}: {command[0]} ended with status {status}: {said[:_COMPLAINT] or 'it said nothing.'}",
                "Try it by hand, as the server's user.",
            )
        if len(out) > OUTPUT_LIMIT:
            raise KeyProblem(f"{setting}: {command[0]} answered with more than {OUTPUT_LIMIT} bytes.")
        try:
            answer = b64decode(b"".join(out.split()), validate=True)
        except ValueError:
            answer = b""
        if not answer:
            raise KeyProblem(
                f"{setting}: what {command[0]} answered is not base64.",
                "It has to read base64 and to write base64: put `base64 -d` before it and `base64` behind it.",
            )
        return answer


def _bound(context: str, blob: bytes) -> str:
    """The context and the program's blob: neither can be exchanged for that of another wrapping."""
    return f"{context} {sha256(blob).hexdigest()}"


async def _read(stream: asyncio.StreamReader | None, limit: int) -> bytes:
    """The output, at most one byte beyond the limit; the rest is discarded, so that the program can end."""
    kept = bytearray()
    while stream is not None and (piece := await stream.read(8192)):
        kept += piece[: limit + 1 - len(kept)]
    return bytes(kept)


async def _feed(process: asyncio.subprocess.Process, text: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    # a program that answers without reading its input is acceptable
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(text)
        await stdin.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.close()
        await stdin.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the rest of its process group; a process that left the group and holds its outputs is not waited for."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await process.wait()
