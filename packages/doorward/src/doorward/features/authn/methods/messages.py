"""E-mail messages about the second factors of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords
from doorward.web.pages.words import N_, calm

_LEFT: Final = N_("Your other second steps still work.")


class SecondFactorAdded(AccountNotice):
    """Notice that an authenticator app was added."""

    kind: ClassVar[str] = "second_factor_added"
    subject: ClassVar[str] = N_("An authenticator app was added to your account at %(brand)s")
    said: ClassVar[str] = N_("From now on we ask for a code from the app when you sign in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRemoved(AccountNotice):
    """Notice that the authenticator app was removed. `left`: the person has other second factors."""

    kind: ClassVar[str] = "second_factor_removed"
    subject: ClassVar[str] = N_("The authenticator app was removed from your account at %(brand)s")
    said: ClassVar[str] = N_("From now on one step is enough to sign in.")
    left: bool = False

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """What a sign-in asks for from now on."""
        return (say.text(_LEFT if self.left else self.said),)


_OF_APP: Final = frozenset({"totp", "recovery_code"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset:
    """Notice that an operator removed second factors after a report of a lost phone: those of the kinds `methods`, or the authenticator
    app and the recovery codes. `names` are kind and name of each one but recovery codes: a passkey's, or where codes were sent, masked.
    `left`: others still work; with `password_too` the password was removed as well."""

    kind: ClassVar[str] = "second_factor_reset"
    at: int
    password_too: bool = False
    methods: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    left: bool = False

    @property
    def _app(self) -> bool:
        """Whether only the authenticator app went, with its codes: then the sentences name it."""
        return _OF_APP.issuperset(self.methods)

    def text(self, say: MessageWords, /) -> MessageText:
        """The remaining way to sign in, and the way to set up a new one."""
        _ = say.text
        app = self._app
        new_password = say.link(_("Forgot your password? Choose a new one:"), "/reset")
        return MessageText(
            subject=_("The authenticator app was removed from your account at %(brand)s")
            if app
            else _("A second step was removed from your account at %(brand)s"),
            paragraphs=(
                _(
                    "The people who run %(brand)s removed the authenticator app and the recovery codes from your"
                    " account, and signed you out everywhere."
                )
                if app
                else _(
                    "The people who run %(brand)s removed a second step of signing in from your account, and signed you"
                    " out everywhere."
                ),
                *self._which(say),
                self._how(say),
                say.when(self.at),
            ),
            closing=_("If you didn't ask for this, tell them at once."),
            links=(
                *((new_password,) if self.password_too else ()),
                say.link(
                    _("Set up an authenticator app again:") if app else _("Set up a second step again:"),
                    "/account/methods",
                ),
            ),
        )

    def _which(self, say: MessageWords) -> tuple[str, ...]:
        named = [
            _named(say, kind, calm(name)) for kind, name in self.names if kind != "totp" or not self._app
        ]
        return (say.text("Removed: %(methods)s.", methods=", ".join(named)),) if named else ()

    def _how(self, say: MessageWords) -> str:
        _ = say.text
        if self.password_too:
            return _("To sign in, choose a new password first.")
        if self.left:
            return _(_LEFT)
        return _("From now on one step is enough to sign in.")


def _named(say: MessageWords, kind: str, name: str) -> str:
    _ = say.text
    match kind:
        case "totp":
            return _("Authenticator app")
        case "passkey":
            return _("Passkey “%(name)s”", name=name) if name else _("Passkey")
        case "sms":
            return _("Phone ending in %(digits)s", digits=name[-2:])
        case "email_code":
            return _("Codes by email to %(address)s", address=name)
        case _:
            return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRequired:
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
