"""Pages about recovery codes."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import CodeWords
from doorward.web.pages.words import N_

_FOLDER: Final = "doorward.features.authn.factors.recovery_codes"
USE_LINK: Final = N_("Use a recovery code")
CODE_WORDS: Final = CodeWords(
    title=N_("Enter a recovery code"),
    label=N_("Recovery code"),
    help=N_("One of the codes you saved when you set up your second step. Each works once."),
    digits=False,
)


class RecoveryWrong(Said):
    """Problems of forms for recovery codes."""

    CODE = "recovery_code_wrong", N_("That recovery code didn't work. Each code works once.")


class RecoveryCard(Fragment, frozen=True, kw_only=True):
    """Recovery codes on the page of sign-in methods: `csrf` makes new ones, and the old ones stop working. `left` of the codes that were
    `made` together are unused."""

    template: ClassVar[str] = f"{_FOLDER}:recovery_card.html"
    left: int = 0
    made: int = 0


class RecoveryCodesView(Struct, frozen=True):
    """Shown once, in response to making them. `account` names the downloaded file's account; `onward` is the page that follows, with
    the id of the sign-in in which they were made (`flow`)."""

    template: ClassVar[str] = f"{_FOLDER}:recovery_codes.html"
    codes: tuple[str, ...]
    account: str
    done: Said | None = None
    onward: str = "/account/methods"
    flow: str | None = None
