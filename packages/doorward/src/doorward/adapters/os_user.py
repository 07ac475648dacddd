"""Operating-system user who runs a command, as the actor of what it does.

Whoever may run a command can read the secret key and write the database, so the name is what the machine and sudo say, written down to
help people find one another. It is a claim, no proof: SUDO_USER is an environment variable, and root can be anybody.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping

from doorward.core.model.actor import ALL_RIGHTS, Actor

# What a user is called on POSIX systems and in directories (DOMAIN\user); another text could break a line of the audit log.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?")


def os_actor(environ: Mapping[str, str] = os.environ) -> Actor:
    """Who runs this command; behind sudo, who asked sudo for it."""
    own = _own_name()
    asked = environ.get("SUDO_USER", "")
    if asked == own or not _NAME.fullmatch(asked):
        return Actor(kind="os_user", id=own, rights=ALL_RIGHTS)
    return Actor(kind="os_user", id=asked, rights=ALL_RIGHTS, as_user=own)


def _own_name() -> str:
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        # a container's user has often no name
        name = ""
    return name if _NAME.fullmatch(name) else f"uid-{number}"
