"""The sentences for what the views name by kind: problems, failures, events, scopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from doorward.web.pages.views.account import ActivityLine, Done, Happened
from doorward.web.pages.views.ends import Failure, Way
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.words import N_, Words, device_html, isolated

_PROBLEMS: Final = {
    Wrong.CREDENTIALS: N_("That email and password don't match."),
    Wrong.PASSWORD_MISMATCH: N_("That password isn't right."),
    Wrong.ACCOUNT_DISABLED: N_(
        "Your account is disabled. Ask the people who run this service to enable it again."
    ),
    Wrong.IDENTIFIER_MISSING: N_("Enter your email address."),
    Wrong.EMAIL_MISSING: N_("Enter your email address."),
    Wrong.EMAIL_INVALID: N_("Enter an email address like name@example.com."),
    Wrong.EMAIL_BEYOND_ASCII: N_(
        "We can't send email to an address with accents or letters of other scripts before the @. Use another one."
    ),
    Wrong.PASSWORD_MISSING: N_("Enter a password."),
    Wrong.PASSWORD_BREACHED: N_("That password has appeared in a data leak. Choose another one."),
    Wrong.PASSWORD_GUESSABLE: N_(
        "That password is easy to guess. Add a few more words that don't belong together."
    ),
    Wrong.PASSWORD_CONTEXT: N_(
        "That password contains your name, your address or the name of this service. Choose another one."
    ),
    Wrong.PASSWORD_UNCHANGED: N_("That is your current password. Choose another one."),
    Wrong.CODE_MISSING: N_("Enter the code."),
    Wrong.CODE_WRONG: N_("That code didn't work. Check it, or use the newest one."),
    Wrong.CODE_SPENT: N_(
        "Too many wrong codes, so this message's code no longer works. Send another message, or open the link in this one."
    ),
    Wrong.RECOVERY_CODE_WRONG: N_("That recovery code didn't work. Each code works once."),
    Wrong.STALE_FORM: N_("This page was out of date, so we didn't use what you sent. Please try again."),
    Wrong.FOREIGN_FORM: N_(
        "Your browser didn't say that this form came from our own page, so we didn't use it. Please try again here. If it"
        " happens again, tell the people who run this service."
    ),
    Wrong.CHANGED_MEANWHILE: N_(
        "Your account changed while this page was open, so we didn't use what you sent. See what is set now, then try"
        " again."
    ),
    Wrong.LOCALE_UNKNOWN: N_("Choose one of the languages in the list."),
}


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    sentence: str


_FAILURES: Final = {
    Failure.BAD_REQUEST: _Page(
        N_("That request didn't make sense"),
        N_("Something in the address or the form was missing or wrong. Go back to the app and start again."),
    ),
    Failure.UNKNOWN_APP: _Page(
        N_("We don't know this app"),
        N_("The app that sent you here isn't registered with us. Nothing was shared with it."),
    ),
    Failure.BAD_REDIRECT: _Page(
        N_("This app asked to send you somewhere unexpected"),
        N_("The address it gave isn't one it has registered, so we stopped here. Nothing was shared."),
    ),
    Failure.NOT_FOUND: _Page(
        N_("There is nothing here"), N_("The address may be mistyped, or the page has moved.")
    ),
    Failure.METHOD_NOT_ALLOWED: _Page(
        N_("This page can't be used that way"), N_("Open it from a link or a button on one of our pages.")
    ),
    Failure.FORBIDDEN: _Page(N_("You can't do that here"), N_("Your account isn't allowed to do this.")),
    Failure.STALE_FORM: _Page(
        N_("That page was out of date"),
        N_(
            "We didn't use what you sent from it. See how things are now, and try again if you still want to."
        ),
    ),
    Failure.WRONG_HOST: _Page(
        N_("This is not our address"),
        N_("You opened this service under another name than its own, and its forms work only there."),
    ),
    Failure.LINK_EXPIRED: _Page(
        N_("This link no longer works"), N_("It was used already or it is too old. Ask for a new one.")
    ),
    Failure.SIGN_UP_CLOSED: _Page(
        N_("New accounts are by invitation"), N_("Ask the people who run this service for an account.")
    ),
    Failure.TOO_LARGE: _Page(
        N_("That was too much at once"), N_("What was sent is larger than we accept. Send less.")
    ),
    Failure.TOO_MANY: _Page(
        N_("Too many tries"), N_("To keep accounts safe we wait a little between tries.")
    ),
    Failure.UNAVAILABLE: _Page(
        N_("We can't do that right now"),
        N_("The service is busy or being looked after. Try again in a minute."),
    ),
    Failure.UNAVAILABLE_FORM: _Page(
        N_("We can't do that right now"),
        N_(
            "The service is busy or being looked after. Load this page again in a minute: your browser then sends once"
            " more what you typed."
        ),
    ),
    Failure.SERVER_ERROR: _Page(
        N_("Something went wrong on our side"),
        N_(
            "It isn't your fault. If you were changing something, see whether it was done before you try again."
        ),
    ),
}

_WAYS: Final = {
    Way.HOME: ("/", N_("Go to the front page")),
    Way.SIGN_IN: ("/sign-in", N_("Sign in")),
    Way.SIGN_UP: ("/sign-up", N_("Create an account")),
    Way.RESET: ("/reset", N_("Reset your password")),
    Way.ACCOUNT: ("/account", N_("Go to your account")),
}

_DONE: Final = {
    Done.SAVED: N_("Saved."),
    Done.PASSWORD_CHANGED: N_("Your password is changed. Your other devices are signed out."),
    Done.AUTHENTICATOR_ADDED: N_("Your authenticator app is set up. From now on we ask for its code."),
    Done.AUTHENTICATOR_REMOVED: N_("Your authenticator app is removed."),
    Done.SESSION_ENDED: N_("That device is signed out."),
    Done.OTHER_SESSIONS_ENDED: N_("All other devices are signed out."),
    Done.APP_DISCONNECTED: N_("The app is disconnected."),
    Done.REPORTED: N_(
        "Thank you for telling us. Every other device is signed out. Change your password now."
    ),
}

_HAPPENED: Final = {
    Happened.ACCOUNT_CREATED: (N_("This account was created"), None),
    Happened.EMAIL_VERIFIED: (N_("You confirmed your email address"), None),
    Happened.SIGNED_IN: (N_("You signed in"), N_("You signed in to %(app)s")),
    Happened.SIGN_IN_FAILED: (N_("Somebody tried to sign in and failed"), None),
    Happened.SIGNED_OUT: (N_("You signed out"), N_("You signed out of %(app)s")),
    Happened.SIGNED_OUT_BY_APP: (
        N_("A device was signed out through an app"),
        N_("A device was signed out through %(app)s"),
    ),
    Happened.SESSION_ENDED: (N_("A device was signed out"), None),
    Happened.OTHER_SESSIONS_ENDED: (N_("All other devices were signed out"), None),
    Happened.PASSWORD_CHANGED: (N_("You changed your password"), None),
    Happened.PASSWORD_SET: (N_("The people who run this service set a new password for you"), None),
    Happened.PASSWORD_RESET: (N_("You set a new password by email"), None),
    Happened.RESET_ASKED: (N_("Somebody asked to reset your password"), None),
    Happened.AUTHENTICATOR_ADDED: (N_("You added an authenticator app"), None),
    Happened.AUTHENTICATOR_REMOVED: (N_("You removed your authenticator app"), None),
    Happened.AUTHENTICATOR_RESET: (
        N_("The people who run this service removed your authenticator app"),
        None,
    ),
    Happened.RECOVERY_CODES_MADE: (N_("You made new recovery codes"), None),
    Happened.RECOVERY_CODE_USED: (N_("A recovery code was used to sign in"), None),
    Happened.APP_CONNECTED: (N_("You connected an app"), N_("You connected %(app)s")),
    Happened.APP_DISCONNECTED: (N_("You disconnected an app"), N_("You disconnected %(app)s")),
    Happened.TOKEN_REPEATED_LATE: (
        N_("An app renewed its access late, as after a lost connection"),
        N_("%(app)s renewed its access late, as after a lost connection"),
    ),
    Happened.TOKEN_REPLAYED: (
        N_("An app's sign-in was used twice, so we ended it"),
        N_("The sign-in of %(app)s was used twice, so we ended it"),
    ),
    Happened.PROFILE_CHANGED: (N_("You changed your profile"), None),
    Happened.REPORTED: (N_("You told us that something wasn't you"), None),
}

_SCOPES: Final = {
    "openid": N_("Know that it is you"),
    "profile": N_("See your name, language and time zone"),
    "email": N_("See your email address"),
    "offline_access": N_("Stay connected while you are away"),
    "roles": N_("See your roles"),
    "groups": N_("See your roles, as groups"),
}

Told = Callable[[int, str], Markup]


@dataclass(frozen=True, slots=True)
class Onward:
    """A way on: a path of this server and the words of its link."""

    path: str
    label: Markup


@dataclass(frozen=True, slots=True)
class Shown:
    """An error page's title and sentence."""

    title: Markup
    sentence: Markup


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of one language; `told` writes a time (Unix seconds) in a shape as HTML."""

    words: Words
    told: Told

    def problem(self, problem: Problem) -> Markup:
        """What is wrong with what was typed, and how to mend it."""
        html, number = self.words.html, problem.number or 0
        match problem.kind:
            case Wrong.TOO_MANY_TRIES if problem.at is not None:
                return html(
                    N_("Too many tries. Try again at %(clock)s."), clock=self.told(problem.at, "clock")
                )
            case Wrong.CODE_SPENT if problem.at is not None:
                return html(
                    N_(
                        "Too many wrong codes. Open the link in the message instead, or try again at %(clock)s."
                    ),
                    clock=self.told(problem.at, "clock"),
                )
            case Wrong.TOO_MANY_TRIES:
                return html(N_("Too many tries. Try again in a few minutes."))
            case Wrong.TOO_MANY_MAILS:
                return html(
                    N_(
                        "Too many messages were asked for this address. The next one can be sent from %(moment)s on. Until then, a"
                        " device on which you have signed in before is not held up; or ask whoever runs this service for help."
                    ),
                    moment=self.told(problem.at or 0, "moment"),
                )
            case Wrong.PASSWORD_TOO_SHORT:
                return self.words.counted_html(
                    "Use at least %(number)s character.", "Use at least %(number)s characters.", number
                )
            case Wrong.PASSWORD_TOO_LONG | Wrong.NAME_TOO_LONG:
                return self.words.counted_html(
                    "Use at most %(number)s character.", "Use at most %(number)s characters.", number
                )
            case kind:
                return html(_PROBLEMS[kind])

    def failure(self, kind: Failure) -> Shown:
        """An error page's title and plain sentence."""
        page = _FAILURES[kind]
        return Shown(self.words.html(page.title), self.words.html(page.sentence))

    def way(self, way: Way) -> Onward:
        """Where an error page leads."""
        path, label = _WAYS[way]
        return Onward(path, self.words.html(label))

    def done(self, done: Done) -> Markup:
        """What was just done."""
        return self.words.html(_DONE[done])

    def happened(self, line: ActivityLine) -> Markup:
        """An event as a human sentence."""
        plain, with_app = _HAPPENED[line.kind]
        if line.app is not None and with_app is not None:
            return self.words.html(with_app, app=isolated(line.app))
        return self.words.html(plain)

    def device(self, label: str | None) -> Markup:
        """A device, described as `rules.identify.device` does it; None for one that nobody knows."""
        if label is None:
            return self.words.html(N_("Unknown device"))
        return device_html(self.words, label)

    def scope(self, line: ScopeLine) -> Markup:
        """What an app may do, as a verb rather than a scope's name."""
        known = _SCOPES.get(line.name)
        return self.words.html(known) if known is not None else isolated(line.description or line.name)
