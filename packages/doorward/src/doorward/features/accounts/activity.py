"""Lines of the activity page: which audited events it shows, and what it says of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, final

from doorward.core.model.audit import AuditEvent
from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_


def _ended_by(reason: str) -> Callable[[Mapping[str, Any]], bool]:
    def applies(detail: Mapping[str, Any]) -> bool:
        return detail.get("reason") == reason

    return applies


ACTIVITY_KINDS: Final = (
    ActivityKind("account.created", N_("This account was created")),
    ActivityKind("sign_up.completed", N_("You confirmed your email address")),
    ActivityKind("sign_in.succeeded", N_("You signed in"), N_("You signed in to %(app)s"), reportable=True),
    ActivityKind("sign_in.failed", N_("Somebody tried to sign in and failed")),
    ActivityKind("session.ended", N_("A device was signed out")),
    ActivityKind(
        "session.ended",
        N_("You signed out"),
        N_("You signed out of %(app)s"),
        applies=_ended_by("signed_out"),
    ),
    ActivityKind(
        "session.ended",
        N_("A device was signed out through an app"),
        N_("A device was signed out through %(app)s"),
        applies=_ended_by("signed_out_by_app"),
    ),
    ActivityKind(
        "session.ended",
        N_("The people who run this service signed out one of your devices"),
        applies=_ended_by("ended_by_operator"),
    ),
    ActivityKind("device.ended", N_("You ended everything on a device")),
    ActivityKind(
        "device.ended",
        N_("The people who run this service ended everything on one of your devices"),
        applies=_ended_by("ended_by_operator"),
    ),
    ActivityKind(
        "account.access_ended", N_("The people who run this service ended all access to your account")
    ),
    ActivityKind(
        "sessions.ended",
        N_("All other devices and apps were signed out, because something wasn't you"),
        applies=_ended_by("reported_by_owner"),
    ),
    ActivityKind("sessions.ended", N_("All other devices were signed out")),
    ActivityKind("password.reset", N_("You set a new password by email"), reportable=True),
    ActivityKind("password.reset_asked", N_("Somebody asked to reset your password")),
    ActivityKind("consent.granted", N_("You connected an app"), N_("You connected %(app)s"), reportable=True),
    ActivityKind("consent.removed", N_("You disconnected an app"), N_("You disconnected %(app)s")),
    ActivityKind(
        "refresh_token.repeated_late",
        N_("An app renewed its access late, as after a lost connection"),
        N_("%(app)s renewed its access late, as after a lost connection"),
        reportable=True,
    ),
    ActivityKind(
        "refresh_token.replayed",
        N_("An app's sign-in was used twice, so we ended it"),
        N_("The sign-in of %(app)s was used twice, so we ended it"),
        reportable=True,
    ),
    ActivityKind("account.profile_changed", N_("You changed your profile")),
    ActivityKind("account.signed_out", N_("The people who run this service signed you out everywhere")),
    ActivityKind("account.email_asked", N_("Somebody asked for a code to set your email address")),
    ActivityKind("account.email_changed", N_("You changed your email address"), reportable=True),
    ActivityKind("account.activity_reported", N_("You told us that something wasn't you")),
)
"""Those of no factor."""


@final
class ActivityKinds:
    """The kinds of all features. Raises ValueError unless each event has exactly one kind for all details that no other one applies to."""

    def __init__(self, kinds: Iterable[ActivityKind]) -> None:
        self._any: dict[str, ActivityKind] = {}
        self._some: dict[str, list[ActivityKind]] = {}
        for kind in kinds:
            if kind.applies is not None:
                self._some.setdefault(kind.event, []).append(kind)
            elif self._any.setdefault(kind.event, kind) is not kind:
                raise ValueError(f"two kinds for all events {kind.event}")
        if missing := self._some.keys() - self._any.keys():
            raise ValueError(f"no kind for all events {', '.join(sorted(missing))}")

    @property
    def events(self) -> tuple[str, ...]:
        """The events that the page shows."""
        return tuple(self._any)

    def of(self, event: AuditEvent) -> ActivityKind:
        """The kind of an event. Raises KeyError if the page does not show it."""
        for kind in self._some.get(event.kind, ()):
            if kind.applies is not None and kind.applies(event.detail):
                return kind
        return self._any[event.kind]
