"""E-mail messages about the second factors of an account."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.features.authn.flow.held import NoticeName, ResetWords
from doorward.features.authn.flow.messages import OTHERS_LEFT
from doorward.web.mail.message import MessageText, MessageWords
from doorward.web.pages.words import N_, calm


class SecondFactorReset(Struct, frozen=True, kw_only=True):
    """Notice that an operator removed second factors after a report of a lost phone. `only`: the words of their kind, if they were of one
    kind that has such words, and no backup is left; `names`: each one but the backups. `left`: others still work; with `password_too` the
    password was removed as well."""

    kind: ClassVar[str] = "second_factor_reset"
    at: int
    password_too: bool = False
    only: ResetWords | None = None
    names: tuple[NoticeName, ...] = ()
    left: bool = False

    def text(self, say: MessageWords, /) -> MessageText:
        """The remaining way to sign in, and the way to set up a new one."""
        _, words = say.text, self.only or _ANY
        new_password = say.link(_("Forgot your password? Choose a new one:"), "/reset")
        return MessageText(
            subject=_(words.subject),
            paragraphs=(_(words.removed), *self._which(say), self._how(say), say.when(self.at)),
            closing=_("If you didn't ask for this, tell them at once."),
            links=(
                *((new_password,) if self.password_too else ()),
                say.link(_(words.again), "/account/methods"),
            ),
        )

    def _which(self, say: MessageWords) -> tuple[str, ...]:
        if self.only is not None or not self.names:
            return ()
        names = [
            say.text(name.text, **{key: calm(value) for key, value in name.values.items()})
            for name in self.names
        ]
        return (say.text("Removed: %(methods)s.", methods=", ".join(names)),)

    def _how(self, say: MessageWords) -> str:
        _ = say.text
        if self.password_too:
            return _("To sign in, choose a new password first.")
        if self.left:
            return _(OTHERS_LEFT)
        return _("From now on one step is enough to sign in.")


_ANY: Final = ResetWords(
    subject=N_("A second step was removed from your account at %(brand)s"),
    removed=N_(
        "The people who run %(brand)s removed a second step of signing in from your account, and signed you"
        " out everywhere."
    ),
    again=N_("Set up a second step again:"),
)


class SecondFactorRequired(Struct, frozen=True, kw_only=True):
    """Notice that an operator requires a second factor of the recipient, from `until` on at the latest."""

    kind: ClassVar[str] = "second_factor_required"
    at: int
    until: int | None = None

    def text(self, say: MessageWords, /) -> MessageText:
        """What will be asked for, from when on, and where to set it up."""
        _ = say.text
        return MessageText(
            subject=_("A second step is now required for your account at %(brand)s"),
            paragraphs=(
                _(
                    "The people who run %(brand)s ask for a second step whenever you sign in, so that the first step"
                    " alone lets nobody in."
                ),
                _("If you have none yet, you set one up the next time you sign in.")
                if self.until is None
                else _("If you have none yet, set one up until %(date)s.", date=say.words.moment(self.until)),
                say.when(self.at),
            ),
            links=(say.link(_("Set up a second step:"), "/account/methods"),),
        )
