"""Account pages: profile, sign-in methods, devices, connected apps, activity."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import OtherWay, TrustOffer
from doorward.web.pages.words import N_


class Done(Said):
    """A completed action, reported once above an account page; a feature has further ones in its folder."""

    SAVED = "saved", N_("Saved.")
    PASSWORD_CHANGED = "password_changed", N_("Your password is changed. Your other devices are signed out.")
    AUTHENTICATOR_ADDED = (
        "authenticator_added",
        N_("Your authenticator app is set up. From now on we ask for its code."),
    )
    AUTHENTICATOR_REMOVED = "authenticator_removed", N_("Your authenticator app is removed.")
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
    DEVICE_RENAMED = "device_renamed", N_("The device is renamed.")
    APP_DISCONNECTED = "app_disconnected", N_("The app is disconnected.")
    REPORTED = (
        "reported",
        N_("Thank you for telling us. Every other device is signed out. Change your password now."),
    )


class Profile(Form, frozen=True):
    """/account. Posts `name`, `locale` ("" = as the browser says), `csrf`. The e-mail address is shown, not edited;
    None: the person has none.

    With `silent_passkey`, the options of the browser's call as JSON text, a script posts `credential` and `csrf` to
    /account/passkeys/silent.
    """

    template: ClassVar[str] = "account/profile.html"
    email: str | None
    name: str = ""
    locale: str = ""
    done: Said | None = None
    silent_passkey: str | None = None
    name_problem: FormProblem | None = None


class MethodCard(Struct, frozen=True, kw_only=True):
    """One kind of second factor on the page of sign-in methods. `id` names its elements; the texts are translated. `added_at` (Unix
    seconds): None if the person has none. `set_up` is the path of its setup, None if people may not add it; `remove` that of the form
    that removes it, None if there is nothing to remove."""

    id: str
    icon: str
    title: str
    text: str
    added_at: int | None = None
    set_up: str | None = None
    remove: str | None = None


class PasskeyLine(Struct, frozen=True, kw_only=True):
    """One passkey. `name` is that of its provider or its owner's, "" if neither is known. `copied`: it is refused, since a copy of it
    was used. `second`: it is asked for after the password, too; `switch`: its owner may change that."""

    id: str
    name: str
    created_at: int
    last_used_at: int | None = None
    backed_up: bool = False
    copied: bool = False
    second: bool = False
    switch: bool = True


class Methods(Form, frozen=True):
    """/account/methods. Three forms and a link:

    password: `current`, `new`, `csrf`; authenticator: a link to its setup, or `csrf` to remove it; recovery codes: `csrf` (makes new
    ones, the old ones stop working); each passkey: a link to its name, and `factor`, `csrf` to remove it; `factor`, `second`
    (yes, no), `csrf`: whether it is asked for after the password, too. Times are Unix seconds;
    `authenticator_added_at` None = no authenticator app (`authenticator_allowed`: people may add
    one); `passkeys` None = there are none here, and `signals` tell password managers
    which of them work, as JSON text; `recoverable`: recovery codes can be made; `cards` are further kinds, each with a link to its setup, or `csrf` to remove it; `others` lead
    to the setup of factors without a card.
    """

    template: ClassVar[str] = "account/methods.html"
    account: str
    minimum: int
    password_changed_at: int | None = None
    authenticator_added_at: int | None = None
    authenticator_allowed: bool = True
    recovery_codes_left: int = 0
    recovery_codes_made: int = 0
    recoverable: bool = False
    cards: tuple[MethodCard, ...] = ()
    passkeys: tuple[PasskeyLine, ...] | None = None
    may_add_passkey: bool = True
    signals: str | None = None
    done: Said | None = None
    current_problem: FormProblem | None = None
    new_problem: FormProblem | None = None
    others: tuple[OtherWay, ...] = ()


class TotpSetup(Form, frozen=True):
    """/account/methods/authenticator. Posts `code`, `setup`, `csrf`.

    `uri` is the otpauth:// URI in the QR code (RFC 6238; key URI format); `key` is the same secret in Base32; `setup` is an opaque
    value that binds the form to this secret ("" = the server keeps it elsewhere). In a sign-in (`flow` is its id) the form's `action`
    and the page to go `back` to are those of the sign-in, and `trust` is the box with which the device is remembered.
    """

    template: ClassVar[str] = "account/totp_setup.html"
    uri: str
    key: str
    setup: str = ""
    action: str = "/account/methods/authenticator"
    back: str = "/account/methods"
    flow: str | None = None
    trust: TrustOffer | None = None


class RecoveryCodes(Struct, frozen=True):
    """Shown once, in response to making them. `account` names the downloaded file's account; `onward` is the page that follows, with
    the id of the sign-in in which they were made (`flow`)."""

    template: ClassVar[str] = "account/recovery_codes.html"
    codes: tuple[str, ...]
    account: str
    done: Said | None = None
    onward: str = "/account/methods"
    flow: str | None = None


class DeviceLine(Struct, frozen=True):
    """One session. `id` is posted back; `label` like "Chrome on macOS", None for an unknown device, which is then identified by its
    network `address` only; Unix seconds."""

    id: str
    label: str | None
    last_seen: int
    signed_in_at: int
    address: str | None = None
    current: bool = False
    active_now: bool = False


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
    """/account/apps. Posts `app`, `csrf`."""

    template: ClassVar[str] = "account/apps.html"
    apps: tuple[AppLine, ...]
    done: Said | None = None


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


class Activity(Struct, frozen=True):
    """/account/activity: 90 days, newest first. Posts `event`, `csrf`.

    `older` is the path of the next page of lines, or None.
    """

    template: ClassVar[str] = "account/activity.html"
    lines: tuple[ActivityLine, ...]
    older: str | None = None
    done: Said | None = None
