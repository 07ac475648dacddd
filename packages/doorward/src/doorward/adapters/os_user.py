"""Operating-system user who runs a command, as the actor of its operations.

Anyone who may run a command can read the secret key and write the database. So the name, as reported by the machine and
sudo, only helps people find one another. It is a claim and not a proof: SUDO_USER is an environment variable, and root
can impersonate any user.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping

from doorward.core.model.actor import ALL_RIGHTS, Actor

# User names on POSIX systems and in directories (DOMAIN\user); other text could break a line of the audit log.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?")


def os_actor(environ: Mapping[str, str] = os.environ) -> Actor:
    """The user who runs this command; behind sudo, the user who called sudo."""
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
        # the user of a container often has no name
        name = ""
    return name if _NAME.fullmatch(name) else f"uid-{number}"
