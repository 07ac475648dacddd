"""JSON forms of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.features.authn.factors.passkeys.rules.response import (
    assertion_response,
    padless,
    registration_response,
    unpadded,
)
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.ceremonies import OPTIONS, REQUEST, register


@pytest.mark.parametrize(
    "change",
    [
        lambda read: read | {"type": "password"},
        lambda read: read | {"rawId": "AA="},
        lambda read: read | {"rawId": "AB"},
        lambda read: read | {"rawId": ""},
        lambda read: read | {"rawId": padless(bytes(1024))},
        lambda read: read | {"response": None},
        lambda read: [read],
        lambda read: read | {"padding": "x" * 16_384},
    ],
)
def test_anything_else_is_no_answer(change: Any) -> None:
    authenticator = Authenticator()
    made = json.loads(authenticator.create(OPTIONS))
    assert registration_response(json.dumps(made)) is not None
    assert registration_response(json.dumps(change(made))) is None
    used = json.loads(authenticator.get(REQUEST))
    assert assertion_response(json.dumps(used)) is not None
    assert assertion_response(json.dumps(change(used))) is None


def test_unknown_transports_are_kept_and_junk_is_not() -> None:
    authenticator = Authenticator(transports=("usb", "usb", "smart-card", "new-one", "NO!", "x" * 30))
    assert register(authenticator).transports == ("new-one", "smart-card", "usb")


def test_base64url_has_one_form() -> None:
    assert unpadded("AAE") == b"\0\1"
    for other in ("AAE=", "AAF", "A", "AA+/", "AA E", "ÄÖ"):
        with pytest.raises(ValueError, match="base64url"):
            unpadded(other)
