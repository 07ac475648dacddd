"""Tests of the kinds of lines on the activity page, as all folders declare them."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.audit import AuditEvent
from doorward.features.accounts.activity import ACTIVITY_KINDS, ActivityKinds
from doorward.features.authn import index as authn
from doorward.features.slots import ActivityKind

KINDS = ActivityKinds((*ACTIVITY_KINDS, *authn.ACTIVITY))
OPERATORS = "The people who run this service"


def said(event: str, **detail: Any) -> str:
    return KINDS.of(AuditEvent(id="aud_1", at=1, kind=event, detail=detail)).text


@pytest.mark.requirement(74)
@pytest.mark.parametrize(
    ("method", "added", "removed"),
    [
        ("totp", "You added an authenticator app", "You removed your authenticator app"),
        # events of programs that knew one kind
        (None, "You added an authenticator app", "You removed your authenticator app"),
        ("sms", "You added a phone", "You removed a phone"),
        ("email_code", "You set up codes by email", "You removed codes by email"),
        ("of_another_feature", "You added a second step", "You removed a second step"),
    ],
)
def test_a_second_factor_is_named_by_its_folder(method: str | None, added: str, removed: str) -> None:
    detail = {} if method is None else {"method": method}
    assert said("second_factor.added", **detail) == added
    assert said("second_factor.removed", **detail) == removed


@pytest.mark.parametrize(
    ("methods", "what"),
    [
        (["totp", "recovery_code"], "your authenticator app"),
        (["totp"], "your authenticator app"),
        ([], "your authenticator app"),
        (["recovery_code"], "a second step of yours"),
        (["passkey", "totp"], "a second step of yours"),
        (["sms", "recovery_code"], "a second step of yours"),
    ],
)
def test_a_reset_names_the_app_if_nothing_else_was_removed(methods: list[str], what: str) -> None:
    assert said("second_factor.reset", methods=methods) == f"{OPERATORS} removed {what}"


@pytest.mark.parametrize(
    ("event", "detail", "starts"),
    [
        ("password.changed", {}, "You changed your password"),
        ("password.changed", {"by": "operator"}, OPERATORS),
        ("trusted_device.ended", {}, "You asked us"),
        ("trusted_device.ended", {"by": "operator"}, OPERATORS),
        ("second_factor.required", {"required": "no"}, f"{OPERATORS} no longer"),
        ("second_factor.required", {"required": "yes"}, f"{OPERATORS} ask"),
        ("session.ended", {"reason": "signed_out"}, "You signed out"),
        ("session.ended", {"reason": "signed_out_by_app"}, "A device was signed out through an app"),
        ("session.ended", {"reason": "idle"}, "A device was signed out"),
        ("second_factor.failed", {}, "Somebody tried to sign in and failed"),
    ],
)
def test_details_choose_the_sentence(event: str, detail: dict[str, str], starts: str) -> None:
    assert said(event, **detail).startswith(starts)


def test_what_an_attacker_may_have_done_can_be_reported() -> None:
    quiet = {
        "account.created",
        "sign_up.completed",
        "sign_in.failed",
        "second_factor.failed",
        "session.ended",
    }
    quiet |= {"sessions.ended", "password.reset_asked", "passkey.copied", "second_factor.required"}
    quiet |= {"trusted_device.ended", "provider.connected", "provider.disconnected", "consent.removed"}
    quiet |= {"account.profile_changed", "account.activity_reported", "account.email_asked"}
    quiet |= {"account.signed_out", "account.access_ended", "device.ended", "provider.access_ended"}
    every = (*ACTIVITY_KINDS, *authn.ACTIVITY)
    assert {kind.event for kind in every if not kind.reportable} == quiet
    assert not {kind.event for kind in every if kind.reportable} & quiet
    assert set(KINDS.events) == {kind.event for kind in every}


@pytest.mark.parametrize(
    "kinds",
    [
        (ActivityKind("a.b", "One"), ActivityKind("a.b", "Another")),
        (ActivityKind("a.b", "One", applies=lambda _: True),),
    ],
)
def test_an_event_has_one_sentence_for_all_details(kinds: tuple[ActivityKind, ...]) -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        ActivityKinds(kinds)


def test_what_is_not_shown_is_no_line() -> None:
    with pytest.raises(KeyError):
        said("app.created")
