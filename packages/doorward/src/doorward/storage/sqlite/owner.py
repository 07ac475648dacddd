"""Whose a new file is: not root's, where a command of root makes it in a folder of the server's user."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def hand_over(descriptor: int, folder: Path) -> None:
    """Give a file or folder that this process has just made in `folder` to the folder's owner, if this process is root's and the folder
    is not. By its descriptor: what its name means, the folder's owner may have changed since."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        # file systems without owners refuse it, and need it not
        with suppress(OSError):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_folders(path: Path) -> None:
    """The folders above `path` that are missing, private (0700), each with the owner of the one above it. Raises OSError."""
    for folder in reversed([parent for parent in path.absolute().parents if not parent.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            hand_over(descriptor, folder.parent)
        finally:
            os.close(descriptor)


def whose(path: Path) -> str:
    """For who cannot open the database at `path`: which of its files belongs to somebody else, and what mends it. "" where that is not it."""
    me = os.geteuid()
    for suffix in ("", "-wal", "-shm", "-turn"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):
            owner = file.stat().st_uid
            if owner != me and not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
                return (
                    f" {file} belongs to {_name(owner)}, and this is {_name(me)}: chown {_name(me)} {path}*"
                )
    return ""


def _name(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)
