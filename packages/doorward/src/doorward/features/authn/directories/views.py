"""What people are told who typed the right password of a directory and may not sign in, or whose directory does not answer."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import Form
from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_


class DirectoryProblem(Said):
    """The kinds of problem, with their sentences."""

    UNAVAILABLE = (
        "directory_unavailable",
        N_("We couldn't check every password just now. Check what you typed, or try again in a few minutes."),
    )
    """The same for everybody whose name the directory may know, also for a wrong password of an account of this server (R80)."""
    DISABLED = (
        "directory_disabled",
        N_("Your organisation's directory doesn't let you sign in now. Ask the people who run it."),
    )
    EXPIRED = (
        "directory_expired",
        N_("Your password has expired. Change it where your organisation lets you, then sign in here."),
    )
    MUST_CHANGE = (
        "directory_must_change",
        N_(
            "You have to change your password first. Do it where your organisation lets you, then sign in here."
        ),
    )
    TAKEN = (
        "directory_taken",
        N_(
            "An account here already has your email address. Sign in to it as before, then connect your organisation's"
            " directory under Sign-in methods."
        ),
    )
    NO_ACCOUNT = (
        "directory_no_account",
        N_("You have no account here yet. Ask the people who run this service to create one."),
    )


class DirectoryCard(Fragment, frozen=True, kw_only=True):
    """The card on the page of sign-in methods. `connected`: the labels of the directories that keep the person's password."""

    template: ClassVar[str] = "doorward.features.authn.directories:card.html"
    connected: tuple[str, ...] = ()


class ConnectDirectoryView(Form, frozen=True):
    """/account/methods/directory. Posts `identifier`, `password`, `csrf`."""

    template: ClassVar[str] = "doorward.features.authn.directories:connect.html"
    identifier: str = ""
