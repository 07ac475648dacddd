"""The account pages: profile, sign-in methods, devices, connected apps, activity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Problem
from doorward.web.pages.views.sign_in import OtherWay


class Done(StrEnum):
    """What was just done, said once above an account page."""

    SAVED = "saved"
    PASSWORD_CHANGED = "password_changed"
    AUTHENTICATOR_ADDED = "authenticator_added"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    SESSION_ENDED = "session_ended"
    OTHER_SESSIONS_ENDED = "other_sessions_ended"
    APP_DISCONNECTED = "app_disconnected"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Profile:
    """/account. Posts `name`, `locale` ("" = as the browser says), `csrf`. The e-mail address is shown, not edited."""

    template: ClassVar[str] = "account/profile.html"
    email: str
    email_verified: bool
    name: str = ""
    locale: str = ""
    action: str = "/account"
    done: Done | None = None
    problem: Problem | None = None
    name_problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Methods:
    """/account/methods. Three forms and a link:

    password: `current`, `new`, `csrf` to `password_action`; authenticator: a link to `authenticator_path`, or `csrf` to
    `authenticator_remove_action`; recovery codes: `csrf` to `recovery_action` (makes new ones, the old stop working).
    Times are Unix seconds; `authenticator_added_at` None = no authenticator app; `others` lead to where further factors are set up.
    """

    template: ClassVar[str] = "account/methods.html"
    account: str
    minimum: int
    password_changed_at: int | None = None
    authenticator_added_at: int | None = None
    recovery_codes_left: int = 0
    password_action: str = "/account/methods/password"
    authenticator_path: str = "/account/methods/authenticator"
    authenticator_remove_action: str = "/account/methods/authenticator/remove"
    recovery_action: str = "/account/methods/recovery"
    done: Done | None = None
    problem: Problem | None = None
    current_problem: Problem | None = None
    new_problem: Problem | None = None
    others: tuple[OtherWay, ...] = ()


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """/account/methods/authenticator. Posts `code`, `setup`, `csrf`.

    `uri` is the otpauth:// address that the QR code holds (RFC 6238; key URI format); `key` the same secret in Base32;
    `setup` an opaque value that ties the form to this secret ("" = the server keeps it elsewhere).
    """

    template: ClassVar[str] = "account/totp_setup.html"
    uri: str
    key: str
    setup: str = ""
    action: str = "/account/methods/authenticator"
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Shown once, as the answer to making them. `account` names the downloaded file's account."""

    template: ClassVar[str] = "account/recovery_codes.html"
    codes: tuple[str, ...]
    account: str
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One session. `id` is posted back; `label` like "Chrome on macOS", None when nobody knows what it is, and then its network
    `address` is all there is to tell it by; `place` approximate or None; Unix seconds."""

    id: str
    label: str | None
    last_seen: int
    signed_in_at: int
    place: str | None = None
    address: str | None = None
    current: bool = False
    active_now: bool = False


@dataclass(frozen=True, slots=True)
class Devices:
    """/account/devices. Posts `session`, `csrf` to `end_action`; `csrf` to `end_others_action`.

    `apps_notice` is the documented bound in seconds within which apps learn of an ended session; `more` that there may be further
    sessions than those that are listed.
    """

    template: ClassVar[str] = "account/devices.html"
    devices: tuple[DeviceLine, ...]
    apps_notice: int
    more: bool = False
    end_action: str = "/account/devices/end"
    end_others_action: str = "/account/devices/end-others"
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class AppLine:
    """One consent. `id` is posted back as `app`; `host` where its answers go; Unix seconds."""

    id: str
    name: str
    host: str
    scopes: tuple[ScopeLine, ...]
    connected_at: int
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Apps:
    """/account/apps. Posts `app`, `csrf` to `disconnect_action`."""

    template: ClassVar[str] = "account/apps.html"
    apps: tuple[AppLine, ...]
    disconnect_action: str = "/account/apps/disconnect"
    done: Done | None = None


class Happened(StrEnum):
    """What an activity line tells; the sentence is chosen by kind and language."""

    ACCOUNT_CREATED = "account_created"
    EMAIL_VERIFIED = "email_verified"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_BY_APP = "signed_out_by_app"
    SESSION_ENDED = "session_ended"
    OTHER_SESSIONS_ENDED = "other_sessions_ended"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_SET = "password_set"
    PASSWORD_RESET = "password_reset"
    RESET_ASKED = "reset_asked"
    AUTHENTICATOR_ADDED = "authenticator_added"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    AUTHENTICATOR_RESET = "authenticator_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    APP_CONNECTED = "app_connected"
    APP_DISCONNECTED = "app_disconnected"
    TOKEN_REPEATED_LATE = "token_repeated_late"
    TOKEN_REPLAYED = "token_replayed"
    PROFILE_CHANGED = "profile_changed"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One event. `id` is posted back as `event`; `device` and `place` as on the devices page; `app` where one took part.

    `reportable` offers "This wasn't me".
    """

    id: str
    kind: Happened
    at: int
    device: str | None = None
    place: str | None = None
    app: str | None = None
    reportable: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """/account/activity: 90 days, newest first. Posts `event`, `csrf` to `report_action`.

    `older` is the path of the next page of lines, or None.
    """

    template: ClassVar[str] = "account/activity.html"
    lines: tuple[ActivityLine, ...]
    report_action: str = "/account/activity/report"
    older: str | None = None
    done: Done | None = None
