"""Meaning of the answer to a bind (RFC 4511 §4.2.2, draft-behera-ldap-password-policy-11 §6.2, the data codes of Active Directory)."""

from __future__ import annotations

import re
from typing import Final, Literal

from doorward.core.model.directory import BindAnswer

Verdict = Literal["right", "wrong", "disabled", "expired", "must_change", "unavailable"]

_DATA: Final = re.compile(r"AcceptSecurityContext error, data ([0-9a-fA-F]{1,8})\b")
_BY_DATA: Final[dict[int, Verdict]] = {
    0x530: "disabled",  # not at this hour
    0x531: "disabled",  # not from this machine
    0x532: "expired",
    0x533: "disabled",
    0x701: "disabled",  # the account has expired
    0x773: "must_change",
}
"""What is said only after a right password. 52e (wrong), 525 (unknown) and 775 (locked, whatever the password) are wrong passwords."""
_SUCCESS, _INVALID_CREDENTIALS = 0, 49
_NOT_NOW: Final = frozenset({1, 2, 3, 7, 8, 10, 11, 12, 13, 51, 52, 80})
"""Results that say nothing of the password: the server is busy, or wants another kind of bind (13: TLS)."""
_EXPIRED, _CHANGE_AFTER_RESET = 0, 2


def verdict(answer: BindAnswer) -> Verdict:
    """What the answer says of the password and its owner. Whatever is not known to be said after a right password is a wrong one."""
    error = policy_error(answer.policy)
    if answer.code == _SUCCESS:
        return "must_change" if error == _CHANGE_AFTER_RESET else "right"
    if answer.code in _NOT_NOW:
        return "unavailable"
    if answer.code != _INVALID_CREDENTIALS:
        return "wrong"
    if error == _EXPIRED:
        return "expired"
    if error == _CHANGE_AFTER_RESET:
        return "must_change"
    data = _DATA.search(answer.message)
    return _BY_DATA.get(int(data[1], 16), "wrong") if data else "wrong"


def policy_error(value: bytes | None) -> int | None:
    """The `error` of a PasswordPolicyResponseValue: SEQUENCE { warning [0] CHOICE OPTIONAL, error [1] ENUMERATED OPTIONAL }. None
    without one, and for bytes that are none."""
    if value is None or len(value) < 2 or value[0] != 0x30 or value[1] != len(value) - 2:
        return None
    rest = value[2:]
    while len(rest) >= 2:
        tag, length = rest[0], rest[1]
        held, rest = rest[2 : 2 + length], rest[2 + length :]
        if tag == 0x81 and length == 1 and held:
            return held[0]
    return None
