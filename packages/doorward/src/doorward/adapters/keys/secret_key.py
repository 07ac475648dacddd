"""The server's secret key: from the settings, or from a file that only the server may read, created on the first start."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem

SIZE = 32


class SecretKeyProblem(KeyProblem):
    """The secret key is not available."""


def new_secret() -> bytes:
    """A new root secret."""
    return os.urandom(SIZE)


def decode_key(text: str) -> bytes:
    """32 bytes from base64 or base64url, with or without padding. Raises `SecretKeyProblem`."""
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) != SIZE:
        raise SecretKeyProblem(
            f"The secret key is not {SIZE} bytes in base64.", f"Make one with `openssl rand -base64 {SIZE}`."
        )
    return key


def secret_key(
    given: Secret | None, path: str, *, generate: bool, own: Callable[[int, Path], None] | None = None
) -> bytes:
    """The key from the settings, else from the file, else a new one written there with mode 0600. Raises
    `SecretKeyProblem`.

    `own` is called with the new file's descriptor and its folder. Two processes that start at once get the same key:
    the complete file is linked into place, and only if none exists.
    """
    if given is not None:
        return decode_key(given.reveal())
    file = Path(path)
    try:
        return decode_key(decoded(file.read_bytes()))
    except FileNotFoundError:
        pass
    except NotText as error:
        raise SecretKeyProblem(
            f"The secret key file {file} {error}.", "It holds one line of base64."
        ) from None
    except OSError as error:
        raise SecretKeyProblem(
            f"The secret key file {file} cannot be read ({type(error).__name__}).",
            "Let the server's user read it.",
        ) from None
    if not generate:
        raise SecretKeyProblem(
            f"There is no secret key: {file} does not exist, and none may be made (keys.generate).",
            f"openssl rand -base64 {SIZE} > {file} && chmod 600 {file}",
        )
    try:
        _write_new(file, b64encode(os.urandom(SIZE)) + b"\n", own)
    except OSError as error:
        raise SecretKeyProblem(
            f"The secret key file {file} cannot be written ({error.strerror}).",
            f"Let the server's user write to {file.parent}, or name another place with keys.secret_key_file.",
        ) from None
    return decode_key(file.read_text(encoding="ascii"))


def _write_new(file: Path, content: bytes, own: Callable[[int, Path], None] | None) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            if own is not None:
                own(descriptor, file.absolute().parent)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return  # another process was first: its key is used
    finally:
        draft.unlink()
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
