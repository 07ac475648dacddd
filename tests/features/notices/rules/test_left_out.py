"""Kinds of notices that the settings leave out."""

from __future__ import annotations

from doorward.features.notices.rules.left_out import problem

KINDS = {"ordinary": {"new_device", "phone_added"}, "urgent": {"password_changed"}}


def test_ordinary_kinds_may_be_left_out() -> None:
    assert problem((), **KINDS) is None
    assert problem(("new_device", "phone_added"), **KINDS) is None


def test_urgent_and_unknown_kinds_are_named_with_the_fix() -> None:
    assert problem(("new_device", "password_changed"), **KINDS) == (
        "notices.without has password_changed. That kind is urgent, and is always sent. Remove it from the list."
    )
    assert problem(("new_devices",), **KINDS) == (
        "notices.without has new_devices, which is no kind of notice. Did you mean new_device?"
    )
    assert problem(("zzz",), **KINDS) == (
        "notices.without has zzz, which is no kind of notice. Possible: new_device, phone_added."
    )
