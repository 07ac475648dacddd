"""Sentences for the kinds in views: problems, failures, events, scopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from doorward.web.pages.views.account import ActivityLine
from doorward.web.pages.views.ends import Failure, Way
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_, Words, device_html, isolated

_SCOPES: Final = {
    "openid": N_("Know that it is you"),
    "profile": N_("See your name, language and time zone"),
    "email": N_("See your email address"),
    "offline_access": N_("Stay connected while you are away"),
    "roles": N_("See your roles"),
    "groups": N_("See your roles, as groups"),
}

Told = Callable[[int, str], Markup]


class Onward(Struct, frozen=True):
    """A link: a path of this server and its label."""

    path: str
    label: Markup


class Shown(Struct, frozen=True):
    """An error page's title and sentence."""

    title: Markup
    sentence: Markup


class Sentences(Struct, frozen=True):
    """The sentences of one language; `told` formats a time (Unix seconds) in a shape as HTML."""

    words: Words
    told: Told

    def problem(self, problem: FormProblem) -> Markup:
        """The sentence for a problem, with its solution."""
        number = problem.number or 0
        match problem.kind:
            case Wrong.PASSWORD_TOO_SHORT:
                return self.words.counted_html(
                    "Use at least %(number)s character.", "Use at least %(number)s characters.", number
                )
            case Wrong.PASSWORD_TOO_LONG | Wrong.NAME_TOO_LONG:
                return self.words.counted_html(
                    "Use at most %(number)s character.", "Use at most %(number)s characters.", number
                )
            case kind:
                sentence, at = kind.words[0 if problem.at is None else -1], problem.at or 0
                times = {one: self.told(at, one) for one in ("clock", "moment") if f"%({one})s" in sentence}
                return self.words.html(sentence, **times)

    def failure(self, kind: Failure) -> Shown:
        """An error page's title and plain sentence."""
        title, sentence = kind.words
        return Shown(self.words.html(title), self.words.html(sentence))

    def way(self, way: Way) -> Onward:
        """A link of an error page."""
        return Onward(way.value, self.words.html(way.words[0]))

    def done(self, done: Said) -> Markup:
        """The sentence for a completed action."""
        return self.words.html(done.words[0])

    def happened(self, line: ActivityLine) -> Markup:
        """The sentence for an event."""
        if line.app is not None and "%(app)s" in line.text:
            return self.words.html(line.text, app=isolated(line.app))
        return self.words.html(line.text)

    def device(self, label: str | None) -> Markup:
        """The name of a device, described as `rules.identify.device` does; None for an unknown one."""
        if label is None:
            return self.words.html(N_("Unknown device"))
        return device_html(self.words, label)

    def scope(self, line: ScopeLine) -> Markup:
        """A scope as a verb phrase."""
        known = _SCOPES.get(line.name)
        return self.words.html(known) if known is not None else isolated(line.description or line.name)
