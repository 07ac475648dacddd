"""Meaning of answers to a bind."""

from __future__ import annotations

import pytest

from doorward.core.model.directory import BindAnswer
from doorward.features.authn.directories.rules.answers import policy_error, verdict


def _data(code: str) -> str:
    return f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v4563\0"


@pytest.mark.parametrize(
    ("code", "message", "policy", "means"),
    [
        (0, "", None, "right"),
        (0, "", b"\x30\x03\x81\x01\x02", "must_change"),
        # a warning that the password expires soon is no error
        (0, "", bytes.fromhex("3006a00480021c20"), "right"),
        (0, "", bytes.fromhex("3009a00480021c20810102"), "must_change"),
        (49, "", None, "wrong"),
        (49, "", b"\x30\x03\x81\x01\x00", "expired"),
        # locked is said whatever the password is
        (49, "", b"\x30\x03\x81\x01\x01", "wrong"),
        (49, _data("52e"), None, "wrong"),
        (49, _data("525"), None, "wrong"),
        (49, _data("775"), None, "wrong"),
        (49, _data("532"), None, "expired"),
        (49, _data("773"), None, "must_change"),
        (49, _data("533"), None, "disabled"),
        (49, _data("701"), None, "disabled"),
        (49, _data("530"), None, "disabled"),
        (49, "data 533", None, "wrong"),
        (53, "unauthenticated bind (DN with no password) disallowed", None, "wrong"),
        (32, "", None, "wrong"),
        (10, "", None, "unavailable"),
        (13, "", None, "unavailable"),
        (51, "", None, "unavailable"),
        (80, _data("533"), None, "unavailable"),
        (9999, "", None, "wrong"),
    ],
)
def test_only_what_follows_a_right_password_is_told_apart(
    code: int, message: str, policy: bytes | None, means: str
) -> None:
    """Adldap2#391."""
    assert verdict(BindAnswer(code, message, policy)) == means


@pytest.mark.parametrize(
    "value",
    [None, b"", b"\x30", b"\x30\x05\x81", b"\x31\x03\x81\x01\x00", b"\x30\x03\x81\x02\x00", b"\xff" * 9],
)
def test_bytes_that_are_no_control_say_nothing(value: bytes | None) -> None:
    assert policy_error(value) is None
