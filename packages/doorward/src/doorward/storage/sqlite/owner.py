"""Ownership of new files: when root runs a command, files go to the owner of the server's folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def hand_over(descriptor: int, folder: Path) -> None:
    """Give a file or folder that this process has just created in `folder` to the folder's owner, if this process runs
    as root and the folder is not root's. Uses the descriptor, since the folder's owner may have replaced the name in
    the meantime."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        # file systems without owners refuse it and do not need it
        with suppress(OSError):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_folders(path: Path) -> None:
    """Create the missing folders above `path`, private (0700), each with the owner of its parent. Raises OSError."""
    for folder in reversed([parent for parent in path.absolute().parents if not parent.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            hand_over(descriptor, folder.parent)
        finally:
            os.close(descriptor)


def whose(path: Path) -> str:
    """Hint for a database at `path` that cannot be opened: which file belongs to another user, and the fix. "" if that
    is not the cause."""
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
