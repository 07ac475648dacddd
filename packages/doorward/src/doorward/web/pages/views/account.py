"""Account pages: profile, sign-in methods, devices, connected apps, activity."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.fragment import Fragment, script_of
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import OtherWay
from doorward.web.pages.views.why import Why
from doorward.web.pages.words import N_


class Done(Said):
    """A completed action, reported once above an account page; a feature has further ones in its folder."""

    SAVED = "saved", N_("Saved.")
    ADDRESS_CHANGED = "address_changed", N_("Your email address is changed. Sign in with it from now on.")
    PASSWORD_CHANGED = "password_changed", N_("Your password is changed. Your other devices are signed out.")
    PROVIDER_CONNECTED = (
        "provider_connected",
        N_("The account is connected. You can sign in with it from now on."),
    )
    PROVIDER_DISCONNECTED = "provider_disconnected", N_("The account is disconnected.")
    SESSION_ENDED = "session_ended", N_("That device is signed out.")
    OTHER_SESSIONS_ENDED = "other_sessions_ended", N_("All other devices are signed out.")
    DEVICE_ASKED_AGAIN = (
        "device_asked_again",
        N_("The next sign-in on that device asks for the second step again."),
    )
    DEVICE_ENDED = "device_ended", N_("That device is signed out, and its apps have no access any more.")
    DEVICE_RENAMED = "device_renamed", N_("The device is renamed.")
    APP_DISCONNECTED = "app_disconnected", N_("The app is disconnected.")
    REPORTED = (
        "reported",
        N_("Thank you for telling us. Every other device is signed out. Change your password now."),
    )


class Profile(Form, frozen=True):
    """/account. Posts `name`, `locale` ("" = as the browser says), `csrf`. The e-mail address is shown, not edited;
    None: the person has none. `offers` are parts that factors add after a sign-in."""

    template: ClassVar[str] = "account/profile.html"
    email: str | None
    name: str = ""
    locale: str = ""
    done: Said | None = None
    offers: tuple[Fragment, ...] = ()
    name_problem: FormProblem | None = None

    @property
    def script(self) -> str:
        """The script of the page."""
        return script_of(self.offers)


class AddressView(Form, frozen=True):
    """/account/address. Posts `email`, `csrf`. `email`: the address of the account, None for none; `typed`: what was typed. `kept_by`: what
    people call the provider alone with which people of this address sign in: then there is no form. `refused_for`: the same of an address
    that was typed."""

    template: ClassVar[str] = "account/address.html"
    email: str | None
    typed: str = ""
    kept_by: str | None = None
    refused_for: str | None = None
    email_problem: FormProblem | None = None


class MethodCard(Fragment, frozen=True, kw_only=True):
    """One kind of second factor on the page of sign-in methods, as most of them look. `id` names its elements; the texts are translated.
    `added_at` (Unix seconds): None if the person has none. `set_up` is the path of its setup, None if people may not add it; `remove`
    that of the form that removes it, None if there is nothing to remove. `add_label` and `remove_label` are the texts of link and button
    if they are not the usual ones."""

    template: ClassVar[str] = "account/method_card.html"
    id: str
    icon: str
    title: str
    text: str
    added_at: int | None = None
    set_up: str | None = None
    remove: str | None = None
    add_label: str | None = None
    remove_label: str | None = None


class Methods(Form, frozen=True):
    """/account/methods. `cards` are those of the factors, each with its own forms and links. The form of the password posts `current`,
    `new`, `csrf`; there is none with `password_elsewhere`, nor without `password_usable`: then `ways` are what the person signs in with, and
    with `password_by_mail` a password can be set by a reset. `minimum` is how many characters a new one needs. Times are Unix seconds. `others` lead to the setup of factors
    without a card.
    """

    template: ClassVar[str] = "account/methods.html"
    account: str
    minimum: int
    password_elsewhere: bool = False
    password_usable: bool = True
    password_by_mail: bool = True
    ways: tuple[str, ...] = ()
    password_changed_at: int | None = None
    cards: tuple[Fragment, ...] = ()
    done: Said | None = None
    current_problem: FormProblem | None = None
    new_problem: FormProblem | None = None
    others: tuple[OtherWay, ...] = ()

    @property
    def script(self) -> str:
        """The script of the page."""
        return script_of(self.cards)


class DeviceLine(Struct, frozen=True):
    """One session. `id` is posted back; `label` like "Chrome on macOS", None for an unknown device, which is then identified by its
    network `address` only. `name` is what its owner calls it, `place` where its sign-in came from; None: not known. Unix seconds."""

    id: str
    label: str | None
    last_seen: int
    signed_in_at: int
    address: str | None = None
    current: bool = False
    active_now: bool = False
    name: str | None = None
    place: str | None = None


class RememberedLine(Struct, frozen=True, kw_only=True):
    """One device on which the second step is not asked for. `id` is posted back; `name` is its owner's, None without one; `label` and
    `address` as in `DeviceLine`; Unix seconds."""

    id: str
    name: str | None
    label: str | None
    address: str | None
    added_at: int
    last_used: int
    expires_at: int
    current: bool = False


class Devices(Struct, frozen=True):
    """/account/devices. Posts `session`, `csrf` to end one; `csrf` to end the others; `device`, `csrf` to ask for the second step on a
    remembered device again, whose name has a page of its own.

    `apps_notice` is the documented limit in seconds within which apps learn of an ended session; `more`: there may be more sessions
    than those listed.
    """

    template: ClassVar[str] = "account/devices.html"
    devices: tuple[DeviceLine, ...]
    apps_notice: int
    more: bool = False
    remembered: tuple[RememberedLine, ...] = ()
    done: Said | None = None


class AppLine(Struct, frozen=True):
    """One consent. `id` is posted back as `app`; `host` is that of its redirect URI; Unix seconds."""

    id: str
    name: str
    host: str
    scopes: tuple[ScopeLine, ...]
    connected_at: int


class Apps(Struct, frozen=True):
    """/account/apps. Posts `app`, `csrf`. `api_keys`: the person has API keys, or could make one."""

    template: ClassVar[str] = "account/apps.html"
    apps: tuple[AppLine, ...]
    done: Said | None = None
    api_keys: bool = False


class ActivityLine(Struct, frozen=True):
    """One event. `id` is posted back as `event`; `text` is its sentence in English, with %(app)s if it names the `app` that took part;
    `device` as on the devices page.

    `reportable` offers "This wasn't me".
    """

    id: str
    text: str
    at: int
    device: str | None = None
    app: str | None = None
    reportable: bool = False
    why: tuple[Why, ...] = ()


class Activity(Struct, frozen=True):
    """/account/activity: 90 days, newest first. Posts `event`, `csrf`.

    `older` is the path of the next page of lines, or None.
    """

    template: ClassVar[str] = "account/activity.html"
    lines: tuple[ActivityLine, ...]
    older: str | None = None
    done: Said | None = None
