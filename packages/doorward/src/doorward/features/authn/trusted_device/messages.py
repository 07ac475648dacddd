"""E-mail messages about remembered devices."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.mail.message import ALARM, AccountNotice
from doorward.web.pages.words import N_


class TrustedDeviceCopied(AccountNotice, frozen=True):
    """Notice that the secret of a remembered device was used twice."""

    kind: ClassVar[str] = "trusted_device_copied"
    subject: ClassVar[str] = N_("A device of your account at %(brand)s may have been copied")
    said: ClassVar[str] = N_(
        "Somebody passed the first step of signing in to your account, and sent an old copy of what one of your devices keeps so"
        " that we don't ask it for the second step. We refused the copy. From now on we ask that device, too. If this wasn't you,"
        " somebody else can pass the first step, and may have data of your browser."
    )
    weight: ClassVar[int] = ALARM
