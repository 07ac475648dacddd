"""E-mail message about a password."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import ALARM, AccountNotice
from doorward.web.pages.words import N_


class PasswordChanged(AccountNotice, frozen=True):
    """Notice that the password was changed or reset."""

    kind: ClassVar[str] = "password_changed"
    subject: ClassVar[str] = N_("Your password for %(brand)s was changed")
    said: ClassVar[str] = N_("Your password was changed.")
    weight: ClassVar[int] = ALARM
